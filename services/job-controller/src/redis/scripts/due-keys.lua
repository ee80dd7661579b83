-- due-keys: the reservations of unique keys whose jobs are to be looked at, the longest due first.
-- arguments: limit
-- reply: key, id and ticket of each
-- The next look is when the reservation is twice as old, so that many long jobs cost little; at most an hour later.
local LEAST_MS, MOST_MS = 10000, 3600000

transitions["due-keys"] = function(limit)
  local due = {}
  local keys = redis.call("ZRANGE", prefix .. "reserved", "-inf", now, "BYSCORE", "LIMIT", 0, limit)
  for at, key in ipairs(keys) do
    local id, ticket = string.match(redis.call("HGET", prefix .. "unique", key) or "", "^(%S+) (%S+)$")
    due[at] = { key, id, ticket }
    redis.call("ZADD", prefix .. "reserved", now + math.max(LEAST_MS, math.min(age_of(ticket), MOST_MS)), key)
  end
  return due
end
