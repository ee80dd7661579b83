-- drain-worker: notes that the present process of a worker is to take no more jobs, finish and go, and tells its controller.
-- arguments: worker
-- reply: "OK"
-- errors: WORKER_NOT_FOUND
transitions["drain-worker"] = function(worker)
  local record, ends = redis.call("HGET", workers, worker), redis.call("ZSCORE", leases, worker)
  if not record or not ends or tonumber(ends) < now then refuse("WORKER_NOT_FOUND", worker) end
  local incarnation = process_of(record)
  redis.call("SET", prefix .. "drain:" .. worker, incarnation, "PX", REMEMBERED_MS)
  redis.call("PUBLISH", prefix .. "signals", "drain " .. worker .. " " .. incarnation)
  return "OK"
end
