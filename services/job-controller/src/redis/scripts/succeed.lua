-- succeed: a run has ended well.
-- arguments: id, token, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale; errors: JOB_NOT_FOUND
transitions.succeed = function(id, token, text, phase, percent)
  local job = load(id)
  local verdict = standing(job, token)
  if verdict ~= "held" then return verdict end
  check_in(job, text, phase, percent)
  let_go(id, job)
  finish(id, job, SUCCESS)
  save(id, job)
  return "accepted"
end
