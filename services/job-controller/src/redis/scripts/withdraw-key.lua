-- withdraw-key: withdraws a job's reservation of a unique key, unless the job is alive or its launch may be under way.
-- arguments: key, id, ticket, how long the launch of a job may take in ms
-- reply: "held" by the job, which is alive; "ends" when it ends or may be launched yet; "free" when it is withdrawn
-- Remembered so long: a launch or retry that was held up must not come after all.
local WITHDRAWN_SECONDS = 3600

-- How long ago the reservation was made; a clock that is ahead counts as much as one that is behind.
local function age_of(ticket)
  return math.abs(now - tonumber(string.match(ticket, "^%d+")))
end

transitions["withdraw-key"] = function(key, id, ticket, launch_ms)
  local job
  -- while nobody can tell whether the job is alive, the key is kept
  if not attempt(id, function(_, found) job = found end) then return "ends" end
  -- another process may have made the same id
  if job and job[UNIQUE] ~= key then job = nil end
  if job and job[STATUS] <= RUNNING then return job[COMMAND] == 0 and "held" or "ends" end
  if not job and age_of(ticket) < tonumber(launch_ms) then return "ends" end
  redis.call("SET", prefix .. "withdrawn:" .. ticket, "", "EX", WITHDRAWN_SECONDS)
  return "free"
end
