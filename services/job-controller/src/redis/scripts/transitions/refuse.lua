-- refuse: the worker may not do the job, others may: it waits in a lane of refused jobs for them, and no attempt is used. When all
-- workers that may do jobs of the type have been refused for a while, or the patience is over, it is in ERROR. If it was to end, it ends.
-- needs: call/context, record/statuses, record/store, life/moves, life/finish, life/patience, life/refusals, lease/held, queue/waiting
-- arguments: id, token, incarnation, patience in ms or -1, for how many ms all must have been refused, reason, message, check-in while
--   it waits, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND
return function(id, token, incarnation, limit, grace, reason, message, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  local command = job.command
  held.let_go(id, job)
  patience.begin(job)
  local is_final = refusals.note(id, job, tonumber(grace))
  if command == 0 and (is_final or patience.is_over(job, tonumber(limit))) then
    job.error = { reason, message, job.attempt, context.now }
    finish.job(id, job, statuses.ERROR)
    moves.save(id, job)
    return "accepted"
  end
  job.attempt = job.attempt - 1
  moves.check_in(job, text, phase, percent)
  if command ~= 0 then
    finish.by_command(id, job, command)
  else
    moves.change(job, statuses.PENDING)
    waiting.enqueue(id, job, "back")
  end
  moves.save(id, job)
  return "accepted"
end
