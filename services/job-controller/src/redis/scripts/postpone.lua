-- postpone: a handler asks for its job to be run again later; no attempt is used. If it was to end, it ends.
-- arguments: id, token, delay in ms, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale; errors: JOB_NOT_FOUND
transitions.postpone = function(id, token, delay, text, phase, percent)
  local job = load(id)
  local verdict = standing(job, token)
  if verdict ~= "held" then return verdict end
  check_in(job, text, phase, percent)
  local command = job[COMMAND]
  let_go(id, job)
  job[ATTEMPT] = job[ATTEMPT] - 1
  if command ~= 0 then
    finish(id, job, command == STOP and STOPPED or CANCELLED)
  else
    move(job, SCHEDULED)
    postpone(id, job, now + tonumber(delay))
  end
  save(id, job)
  return "accepted"
end
