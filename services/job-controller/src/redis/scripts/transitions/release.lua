-- release: a job is given back unfinished, to the front of its queue; no attempt is used. If it was to end, it ends.
-- needs: record/store, life/moves, lease/returns
-- arguments: id, token, incarnation
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND
return function(id, token, incarnation)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  returns.give_back(id, job)
  return "accepted"
end
