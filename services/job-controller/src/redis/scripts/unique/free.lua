-- free: ends the reservation of a unique key after it was withdrawn.
-- needs: call/context
-- reads: unique
-- writes: unique, reserved
-- arguments: key, id, ticket
-- reply: 1 when it ended, 0 when there is another one or none
return function(key, id, ticket)
  local unique = context.prefix .. "unique"
  if redis.call("HGET", unique, key) ~= id .. " " .. ticket then return 0 end
  redis.call("HDEL", unique, key)
  redis.call("ZREM", context.prefix .. "reserved", key)
  return 1
end
