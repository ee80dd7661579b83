-- disconnect: a worker's stream broke, or it did not accept jobs; cuts its lease and takes those jobs back.
-- When a newer stream has taken over, it does nothing.
-- arguments: worker, session, lease in ms, 1 when the stream broke (a job may have broken it: that counts as a loss) or 0,
--   then id and token of each job that was sent and not accepted
-- reply: "OK"
local function is_session(worker, session)
  local known = redis.call("HGET", workers, worker)
  return known and string.match(known, "^%S+ (%S+)") == session
end

transitions.disconnect = function(worker, session, lease, broke, ...)
  if not is_session(worker, session) then return "OK" end
  redis.call("ZADD", leases, "LT", now + tonumber(lease), worker)
  local unheard = { ... }
  for at = 1, #unheard, 2 do
    local mark = redis.call("HGET", prefix .. "held:" .. worker, unheard[at])
    local take = broke == "1" and lose or give_back_unheard
    if mark and string.match(mark, "^%d+") == unheard[at + 1] then take(unheard[at], worker) end
  end
  return "OK"
end
