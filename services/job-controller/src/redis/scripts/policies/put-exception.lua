-- put-exception: stores an exception from policies, in place of the one of the same id. Removes some that ended long ago; any
--   that ended, when there is no room.
-- needs: call/context
-- writes: exceptions, exception-ends, policies-version
-- arguments: id, the exception as JSON, when it ends or "inf", "replace" or "keep" one of the id that has not ended, how many
--   there may be
-- reply: 1 when it was stored, 0 when another one was kept
-- errors: POLICIES_FULL
-- when memory is full: refused
local KEPT_MS = 90 * 24 * 3600 * 1000
local REMOVED_AT_ONCE = 100

return function(id, json, end_time, how, most)
  local exceptions, ends = context.prefix .. "exceptions", context.prefix .. "exception-ends"
  local known = tonumber(redis.call("ZSCORE", ends, id) or "")
  if known and how == "keep" and known > context.now then return 0 end
  local is_full = not known and redis.call("ZCARD", ends) >= tonumber(most)
  local before = is_full and context.now or context.now - KEPT_MS
  local ended = redis.call("ZRANGEBYSCORE", ends, "-inf", before, "LIMIT", 0, REMOVED_AT_ONCE)
  if is_full and #ended == 0 then context.refuse("POLICIES_FULL", "exceptions " .. most) end
  for _, old in ipairs(ended) do
    redis.call("HDEL", exceptions, old)
    redis.call("ZREM", ends, old)
  end
  redis.call("HSET", exceptions, id, json)
  redis.call("ZADD", ends, end_time, id)
  redis.call("INCRBY", context.prefix .. "policies-version", 1)
  return 1
end
