-- succeed: a run has ended well.
-- needs: record/statuses, record/store, life/moves, life/finish, lease/held
-- arguments: id, token, incarnation, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND
return function(id, token, incarnation, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  if text ~= "" or phase ~= "" then moves.check_in(job, text, phase, percent) end
  held.let_go(id, job)
  finish.job(id, job, statuses.SUCCESS)
  moves.save(id, job)
  return "accepted"
end
