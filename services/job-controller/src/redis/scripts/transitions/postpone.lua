-- postpone: a handler asks for its job to be run again later; no attempt is used. If it was to end, it ends.
-- needs: call/context, record/statuses, record/store, life/moves, life/finish, lease/held, schedule/times
-- arguments: id, token, delay in ms, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND
return function(id, token, delay, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token)
  if verdict ~= "held" then return verdict end
  moves.check_in(job, text, phase, percent)
  local command = job.command
  held.let_go(id, job)
  job.attempt = job.attempt - 1
  if command ~= 0 then
    finish.by_command(id, job, command)
  else
    moves.change(job, statuses.SCHEDULED)
    times.postpone(id, job, context.now + tonumber(delay))
  end
  moves.save(id, job)
  return "accepted"
end
