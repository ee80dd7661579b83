-- free-key: ends the reservation of a unique key after it was withdrawn.
-- arguments: key, id, ticket
-- reply: 1 when it ended, 0 when there is another one or none
transitions["free-key"] = function(key, id, ticket)
  if redis.call("HGET", prefix .. "unique", key) ~= id .. " " .. ticket then return 0 end
  redis.call("HDEL", prefix .. "unique", key)
  redis.call("ZREM", prefix .. "reserved", key)
  return 1
end
