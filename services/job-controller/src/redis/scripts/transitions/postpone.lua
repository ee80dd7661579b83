-- postpone: a handler asks for its job to be run again later; no attempt is used. If it was to end, it ends; when it was
-- postponed for longer than it may be, it is in ERROR.
-- needs: call/context, record/statuses, record/store, life/moves, life/finish, life/patience, lease/held, schedule/times
-- arguments: id, token, incarnation, the least wait in ms, base and cap of the back-off in ms, jitter from 0 to 1, how long it may
--   be postponed in all in ms or -1, reason, message, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND

return function(id, token, incarnation, least, base, cap, jitter, limit, reason, message, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  moves.check_in(job, text, phase, percent)
  local command = job.command
  limit = tonumber(limit)
  held.let_go(id, job)
  if limit >= 0 then patience.begin(job) end
  if command == 0 and patience.is_over(job, limit) then
    job.error = { reason, message, job.attempt, context.now }
    finish.job(id, job, statuses.ERROR)
    moves.save(id, job)
    return "accepted"
  end
  if command ~= 0 then
    finish.by_command(id, job, command)
  else
    moves.change(job, statuses.SCHEDULED)
    times.back_off(id, job, least, base, cap, jitter)
  end
  job.attempt = job.attempt - 1
  moves.save(id, job)
  return "accepted"
end
