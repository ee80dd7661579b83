-- save: keeps how far a running job has come, for its next run.
-- needs: call/context, record/store, life/moves
-- writes: checkpoint
-- arguments: id, token, incarnation, the checkpoint; empty keeps none
-- reply: "OK"
-- errors: JOB_NOT_FOUND, LEASE_LOST
-- when memory is full: refused
return function(id, token, incarnation, checkpoint)
  local job = store.load(id)
  if moves.standing(job, token, incarnation) ~= "held" then context.refuse("LEASE_LOST", id) end
  local key = context.prefix .. "checkpoint:" .. id
  if checkpoint == "" then redis.call("UNLINK", key) else redis.call("SET", key, checkpoint) end
  local is_kept = checkpoint == "" and 0 or 1
  if job.checkpoint ~= is_kept then
    job.checkpoint = is_kept
    store.put(id, job)
  end
  return "OK"
end
