-- confirm: a handler has ended because of a stop or cancel. What was asked for last counts.
-- arguments: id, token, command (1 stop, 2 cancel)
-- reply: accepted, duplicate or stale; errors: JOB_NOT_FOUND
transitions.confirm = function(id, token, command)
  local job = load(id)
  local verdict = standing(job, token)
  if verdict ~= "held" then return verdict end
  local asked = job[COMMAND] ~= 0 and job[COMMAND] or tonumber(command)
  let_go(id, job)
  finish(id, job, asked == STOP and STOPPED or CANCELLED)
  save(id, job)
  return "accepted"
end
