-- due: the reservations of unique keys whose jobs are to be looked at, the longest due first.
-- needs: call/context, unique/keys
-- reads: unique
-- writes: reserved
-- arguments: limit
-- reply: key, id and ticket of each

-- The next look is when the reservation is twice as old, so that many long jobs cost little; at most an hour later.
local LEAST_MS, MOST_MS = 10000, 3600000

return function(limit)
  local reserved, due = context.prefix .. "reserved", {}
  for at, key in ipairs(redis.call("ZRANGE", reserved, "-inf", context.now, "BYSCORE", "LIMIT", 0, limit)) do
    local holder = redis.call("HGET", context.prefix .. "unique", key) or ""
    local id, ticket = string.match(holder, "^(%S+) (%S+)$")
    due[at] = { key, id, ticket }
    redis.call("ZADD", reserved, context.now + math.max(LEAST_MS, math.min(keys.age_of(ticket), MOST_MS)), key)
  end
  return due
end
