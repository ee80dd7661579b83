-- disconnect: a worker's stream broke; cuts its lease, unless a newer stream has taken over.
-- arguments: worker, session, lease in ms
-- reply: "OK"
local function is_session(worker, session)
  local known = redis.call("HGET", workers, worker)
  return known and string.match(known, "^%S+ (%S+)") == session
end

transitions.disconnect = function(worker, session, lease)
  if is_session(worker, session) then redis.call("ZADD", leases, "LT", now + tonumber(lease), worker) end
  return "OK"
end
