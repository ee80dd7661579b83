-- disconnect: a worker's stream broke; cuts its lease and gives back what it did not accept.
-- When a newer stream has taken over, it does nothing.
-- arguments: worker, session, lease in ms, then id and token of each job that was sent and not accepted
-- reply: "OK"
local function is_session(worker, session)
  local known = redis.call("HGET", workers, worker)
  return known and string.match(known, "^%S+ (%S+)") == session
end

transitions.disconnect = function(worker, session, lease, ...)
  if not is_session(worker, session) then return "OK" end
  redis.call("ZADD", leases, "LT", now + tonumber(lease), worker)
  local unheard = { ... }
  for at = 1, #unheard, 2 do
    local mark = redis.call("HGET", prefix .. "held:" .. worker, unheard[at])
    if mark and string.match(mark, "^%d+") == unheard[at + 1] then give_back_unheard(unheard[at], worker) end
  end
  return "OK"
end
