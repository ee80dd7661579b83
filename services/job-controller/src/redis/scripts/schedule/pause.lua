-- pause: lets a periodic job launch nothing, or go on.
-- needs: call/context, record/statuses, record/kinds, record/shown, record/store, life/moves, life/finish, schedule/times,
--   schedule/executions
-- reads: periodic
-- writes: periodic
-- arguments: id, "pause" or "resume", the next time to go on with or 0 when there is none: then it ends
-- reply: the job
-- errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS
return function(id, what, next_at)
  local job = store.load(id)
  if job.kind ~= kinds.PERIODIC or job.status ~= statuses.SCHEDULED then
    context.refuse("JOB_STATUS_FORBIDS", moves.forbidden("schedule", job))
  end
  local periodic = context.prefix .. "periodic"
  next_at = tonumber(next_at)
  if what == "pause" then
    redis.call("ZREM", periodic, id)
    executions.leave_out_waiting(id)
    job.status_time = 0
  elseif not redis.call("ZSCORE", periodic, id) then
    if next_at > 0 then times.plan(id, job, next_at) else finish.job(id, job, statuses.STOPPED) end
  end
  moves.save(id, job)
  return shown.job(id, job)
end
