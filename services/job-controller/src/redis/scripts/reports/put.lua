-- put: stores the report of a running job, with what its indexes are made from; it may be kept longer than the job.
-- needs: call/context, record/store, life/moves
-- writes: report, report-outbox
-- arguments: id, token, incarnation, the report's id, the position of the report, which is bytes, how long it is kept in
--   seconds, the position of what the indexes are made from
-- reply: "OK"
-- errors: JOB_NOT_FOUND, LEASE_LOST
-- when memory is full: refused
return function(id, token, incarnation, report_id, position, seconds, staged)
  if moves.standing(store.load(id), token, incarnation) ~= "held" then context.refuse("LEASE_LOST", id) end
  redis.call("SET", context.prefix .. "report:" .. report_id, context.bytes_at(position), "EX", seconds)
  redis.call("HSET", context.prefix .. "report-outbox", report_id, context.bytes_at(staged))
  return "OK"
end
