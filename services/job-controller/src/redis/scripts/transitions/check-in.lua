-- check-in: notes what a running job's handler says.
-- needs: call/context, record/store, life/moves
-- arguments: id, token, incarnation, text or empty, phase or empty, percent
-- reply: "OK"
-- errors: JOB_NOT_FOUND, LEASE_LOST
return function(id, token, incarnation, text, phase, percent)
  local job = store.load(id)
  if moves.standing(job, token, incarnation) ~= "held" then context.refuse("LEASE_LOST", id) end
  moves.check_in(job, text, phase, percent)
  moves.save(id, job)
  return "OK"
end
