-- check-lease: tells whether the lease holds, before work is begun for it, such as the upload of a report.
-- needs: call/context, record/store, life/moves
-- arguments: id, token, incarnation
-- reply: "OK"
-- errors: JOB_NOT_FOUND, LEASE_LOST
-- when memory is full: refused
return function(id, token, incarnation)
  if moves.standing(store.load(id), token, incarnation) ~= "held" then context.refuse("LEASE_LOST", id) end
  return "OK"
end
