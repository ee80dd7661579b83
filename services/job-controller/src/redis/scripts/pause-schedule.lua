-- pause-schedule: lets a periodic job launch nothing, or go on.
-- arguments: id, "pause" or "resume", the next time to go on with or 0 when there is none: then it ends
-- reply: the job; errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS
transitions["pause-schedule"] = function(id, what, next_at)
  local job = load(id)
  if job[KIND] ~= PERIODIC or job[STATUS] ~= SCHEDULED then refuse("JOB_STATUS_FORBIDS", forbidden("schedule", job)) end
  next_at = tonumber(next_at)
  if what == "pause" then
    redis.call("ZREM", prefix .. "periodic", id)
    leave_out_waiting(id)
    job[RUN_AT] = 0
  elseif not redis.call("ZSCORE", prefix .. "periodic", id) then
    if next_at > 0 then plan(id, job, next_at) else finish(id, job, STOPPED) end
  end
  save(id, job)
  return shown(id, job)
end
