-- pause-schedule: lets a periodic job launch nothing, or go on.
-- arguments: id, the next time to go on with or 0 to pause
-- reply: the job; errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS
transitions["pause-schedule"] = function(id, next_at)
  local job = load(id)
  if job[KIND] ~= PERIODIC or job[STATUS] ~= SCHEDULED then refuse("JOB_STATUS_FORBIDS", forbidden("schedule", job)) end
  if tonumber(next_at) == 0 then
    redis.call("ZREM", prefix .. "periodic", id)
    redis.call("SADD", prefix .. "paused-schedules", id)
    job[RUN_AT] = 0
  elseif redis.call("SREM", prefix .. "paused-schedules", id) == 1 then
    plan(id, job, tonumber(next_at))
  end
  save(id, job)
  return shown(id, job)
end
