-- put: stores the report of a running job; it may be kept longer than the job.
-- needs: call/context, record/store, life/moves
-- writes: report
-- arguments: id, token, incarnation, the position of the report, which is bytes, how long it is kept in seconds
-- reply: "OK"
-- errors: JOB_NOT_FOUND, LEASE_LOST
-- when memory is full: refused
return function(id, token, incarnation, position, seconds)
  if moves.standing(store.load(id), token, incarnation) ~= "held" then context.refuse("LEASE_LOST", id) end
  redis.call("SET", context.prefix .. "report:" .. id, context.bytes_at(position), "EX", seconds)
  return "OK"
end
