-- refuse: the worker may not do the job, others may: it goes to the front of its queue for them, and no attempt is used.
-- When every worker that may do jobs of the type is refused, or the patience is over, it is in ERROR. If it was to end, it ends.
-- needs: call/context, record/statuses, record/store, life/moves, life/finish, life/patience, life/refusals, lease/held, queue/waiting
-- arguments: id, token, incarnation, patience in ms or -1, reason, message, check-in while it waits, phase or empty, percent,
--   the workers that may do jobs of the type, with a space between
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND
return function(id, token, incarnation, limit, reason, message, text, phase, percent, workers)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  local command, worker = job.command, job.worker
  held.let_go(id, job)
  patience.begin(job)
  refusals.note(id, worker)
  if command == 0 and (patience.is_over(job, tonumber(limit)) or refusals.is_by_all(id, workers)) then
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
    waiting.enqueue(id, job, "front")
  end
  moves.save(id, job)
  return "accepted"
end
