-- watch: whether leases were looked at all the time, or nobody could renew them.
-- needs: call/context
-- gives: leases
-- reads: watched, leases
-- writes: watched, leases
local MOST_GIVEN, GIVING_MS = 1000, 2000

-- Notes that a controller looks at the leases. When none had looked for longer than `unwatched`, all leases that had not ended at
-- the last look are renewed; false while there are more of them. A slow answer of Redis is no such gap: then this controller's
-- look before, at `since`, is not newer than the last one.
local function watch_leases(lease, unwatched, since)
  local now, key, leases = context.now, context.prefix .. "watched", context.prefix .. "leases"
  local last = tonumber(redis.call("GET", key) or 0)
  local is_slow = since > 0 and since <= last
  if now - last > unwatched and not is_slow then
    -- leases with the least left come first, and those that were given a moment ago are left out
    local ends = "(" .. now + lease - GIVING_MS
    local short = redis.call("ZRANGEBYSCORE", leases, "(" .. last, ends, "LIMIT", 0, MOST_GIVEN)
    for _, worker in ipairs(short) do redis.call("ZADD", leases, now + lease, worker) end
    if #short == MOST_GIVEN then return false end
  end
  -- another controller's clock may be ahead, but not by that much
  if now > last or now < last - lease then redis.call("SET", key, now) end
  return true
end

return { leases = watch_leases }
