-- confirm: a handler has ended because of a stop or cancel. What was asked for last counts.
-- needs: record/store, life/moves, life/finish, lease/held
-- arguments: id, token, incarnation, command (1 stop, 2 cancel)
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND
return function(id, token, incarnation, command)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  local asked = job.command ~= 0 and job.command or tonumber(command)
  held.let_go(id, job)
  finish.by_command(id, job, asked)
  moves.save(id, job)
  return "accepted"
end
