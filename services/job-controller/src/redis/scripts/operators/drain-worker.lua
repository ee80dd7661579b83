-- drain-worker: notes that the present process of a worker is to take no more jobs, finish and go, and tells its controller.
-- needs: call/context, call/signals, lease/sessions, lease/incarnations
-- reads: leases
-- writes: drain
-- arguments: worker
-- reply: "OK"
-- errors: WORKER_NOT_FOUND
return function(worker)
  local entry = sessions.entry_of(worker)
  local lease_end = redis.call("ZSCORE", context.prefix .. "leases", worker)
  if not entry or not lease_end or tonumber(lease_end) < context.now then context.refuse("WORKER_NOT_FOUND", worker) end
  local incarnation = sessions.process_of(entry)
  redis.call("SET", context.prefix .. "drain:" .. worker, incarnation, "PX", incarnations.REMEMBERED_MS)
  signals.drain(worker, incarnation)
  return "OK"
end
