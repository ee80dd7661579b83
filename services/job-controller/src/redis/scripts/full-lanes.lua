-- full-lanes: how a claim gets past lanes whose fairness key has no room.
-- So many lanes are looked at when the first ones are passed over; the next call goes on behind them.
local MOST_LANES = 200
-- Among the ranks of a type's turns: how many lanes the next call leaves out, if not none.
local PASSED = "passed"

-- The lane and score that come next among those whose fairness key has room.
local function next_with_room(name, room_of)
  local lanes, turns = lanes_of(name), prefix .. "turns:" .. name
  local passed = tonumber(redis.call("HGET", turns, PASSED) or 0)
  for from = passed, passed + MOST_LANES - 1, 20 do
    local found = redis.call("ZRANGE", lanes, from, from + 19, "WITHSCORES")
    for at = 1, #found, 2 do
      if room_of(string.sub(found[at], 3)) > 0 then
        if passed > 0 then redis.call("HDEL", turns, PASSED) end
        return found[at], tonumber(found[at + 1])
      end
    end
    if #found < 40 then
      if passed == 0 then return nil end
      redis.call("HDEL", turns, PASSED)
      -- the first ones may have room again
      return next_with_room(name, room_of)
    end
  end
  redis.call("HSET", turns, PASSED, passed + MOST_LANES)
end
