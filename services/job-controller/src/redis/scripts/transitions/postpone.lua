-- postpone: a handler asks for its job to be run again later; no attempt is used. If it was to end, it ends; when it was
-- postponed for longer than it may be, it is in ERROR.
-- needs: call/context, record/statuses, record/store, life/moves, life/finish, lease/held, schedule/times
-- arguments: id, token, incarnation, the least wait in ms, base and cap of the back-off in ms, jitter from 0 to 1, how long it may
--   be postponed in all in ms or -1, reason, message, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND

-- Whether the patience is over; it begins with the first postponement that has one.
local function is_too_long(job, patience)
  if patience < 0 then return false end
  if job.postponed_since == 0 then job.postponed_since = context.now end
  return context.now - job.postponed_since > patience
end

return function(id, token, incarnation, least, base, cap, jitter, patience, reason, message, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  moves.check_in(job, text, phase, percent)
  local command = job.command
  held.let_go(id, job)
  if command == 0 and is_too_long(job, tonumber(patience)) then
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
