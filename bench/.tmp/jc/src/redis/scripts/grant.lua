-- grant: gives every worker a whole lease from now on, because nobody could renew while Redis was away.
-- arguments: lease in ms
-- reply: "OK"
local MOST_GRANTED = 1000

transitions.grant = function(lease)
  for _, worker in ipairs(redis.call("ZRANGE", leases, 0, MOST_GRANTED - 1)) do
    redis.call("ZADD", leases, "GT", now + tonumber(lease), worker)
  end
  return "OK"
end
