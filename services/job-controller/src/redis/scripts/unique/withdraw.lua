-- withdraw: withdraws a job's reservation of a unique key, unless the job is alive or its launch may be in flight.
-- needs: call/context, call/isolate, record/statuses, unique/keys
-- writes: withdrawn
-- arguments: key, id, ticket, how long the launch of a job may take in ms
-- reply: "held" by the job, which is alive; "ends" when it ends or may be launched yet; "free" when it is withdrawn

-- How long a withdrawal is remembered: a launch or retry that was held up must not come after all.
local REMEMBERED_SECONDS = 3600

return function(key, id, ticket, launch_ms)
  local job
  -- while nobody can tell whether the job is alive, the key is kept
  if not isolate.job(id, function(_, found) job = found end) then return "ends" end
  -- another process may have made the same id
  if job and job.unique ~= key then job = nil end
  if job and job.status <= statuses.RUNNING then return job.command == 0 and "held" or "ends" end
  if not job and keys.age_of(ticket) < tonumber(launch_ms) then return "ends" end
  redis.call("SET", context.prefix .. "withdrawn:" .. ticket, "", "EX", REMEMBERED_SECONDS)
  return "free"
end
