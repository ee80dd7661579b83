-- read: a job as it stands, with the first hundred jobs that it launched and how many of them stand where.
-- needs: call/context, record/statuses, record/kinds, record/shown, record/store
-- reads: periodic, schedule, sub-jobs, sub-job-totals
-- arguments: id, 0 to leave the parameters out, else 1 or nothing
-- reply: the job, the ids, status and count in turn, and of a periodic job paused (0 or 1), launched, missed, skipped,
--   whether a launch waits (0 or 1)
-- errors: JOB_NOT_FOUND
-- when memory is full: refused
local prefix = context.prefix

local function periodic_state(id, job)
  local is_paused = job.status == statuses.SCHEDULED and not redis.call("ZSCORE", prefix .. "periodic", id)
  local state = redis.call("HMGET", prefix .. "schedule:" .. id, "launched", "missed", "skipped", "waiting")
  local counts = { tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 0) }
  return { is_paused and 1 or 0, counts[1], counts[2], counts[3], state[4] and 1 or 0 }
end

return function(id, with_parameters)
  local job = store.load(id)
  local stats = shown.job(id, job, with_parameters ~= "0")
  local periodic = job.kind == kinds.PERIODIC and periodic_state(id, job) or {}
  if job.parent == 0 then return { stats, {}, {}, periodic } end
  local launched = {}
  for _, entry in ipairs(redis.call("XRANGE", prefix .. "sub-jobs:" .. id, "-", "+", "COUNT", 100)) do
    launched[#launched + 1] = entry[2][2]
  end
  return { stats, launched, redis.call("HGETALL", prefix .. "sub-job-totals:" .. id), periodic }
end
