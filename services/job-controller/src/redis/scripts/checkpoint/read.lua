-- read: how far a running job came in its former runs, and how the jobs that it launched stand.
-- needs: call/context, record/store, life/moves
-- reads: checkpoint, sub-job-totals
-- arguments: id, token, incarnation
-- reply: the checkpoint or empty; of the jobs that it launched status and count in turn; when it was launched, and now
-- errors: JOB_NOT_FOUND, LEASE_LOST
-- when memory is full: refused
return function(id, token, incarnation)
  local job = store.load(id)
  if moves.standing(job, token, incarnation) ~= "held" then context.refuse("LEASE_LOST", id) end
  local checkpoint = job.checkpoint ~= 0 and redis.call("GET", context.prefix .. "checkpoint:" .. id)
  local totals = job.parent == 0 and {} or redis.call("HGETALL", context.prefix .. "sub-job-totals:" .. id)
  return { checkpoint or "", totals, job.enqueued, context.now }
end
