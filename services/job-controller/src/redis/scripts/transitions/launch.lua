-- launch: stores a job, at the end of its queue or until it is due.
-- needs: call/context, record/store, life/launch
-- needs at times: record/shown
-- reads: request
-- arguments: id, 1 when the pool is full or 0, how its unique key stands when it falls to another shard and by what (see
--   unique/reserve) or both empty, name, traceparent, parameters, options as JSON or empty (priority, fairness, kind, run_at,
--   unique, request, policy, labels, schedule, hook, scheduled_for)
-- reply: the id and now; the job when the request was answered before; or nothing when it was not and the pool is full
-- errors: ID_TAKEN, UNIQUE_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED, JOB_NOT_FOUND
-- when memory is full: refused

-- The job that the request launched before, if its record is still there.
local function answered_before(request)
  local known = request ~= "" and redis.call("GET", context.prefix .. "request:" .. request)
  if not known or not store.is_known(known) then return nil end
  return modules["record/shown"].job(known, store.load(known))
end

return function(id, full, hold, by, name, traceparent, parameters, options)
  local with = launch.options(options)
  local before = answered_before(with.request)
  if before or full == "1" then return before or {} end
  launch.job(id, name, traceparent, parameters, "", with, hold, by)
  return { id, context.now }
end
