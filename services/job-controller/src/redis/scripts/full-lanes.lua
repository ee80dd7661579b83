-- full-lanes: how a claim gets past lanes whose fairness key has no room.
-- So many lanes are passed over by one call; the next one goes on behind them.
local MOST_PASSED = 200

-- The place behind the lane that an earlier call passed over last, told as its score and name; else the first one. When it stands there no
-- more, others may: what is behind is looked at again rather than left out.
local function place_behind(lanes, passed, rank)
  local score, lane = string.match(passed, "^(%S+) (.+)$")
  if not lane then return rank and redis.call("ZCOUNT", lanes, "-inf", string.format("(%.0f", rank * RANK)) or 0 end
  if redis.call("ZSCORE", lanes, lane) == score then return redis.call("ZRANK", lanes, lane) + 1 end
  return redis.call("ZCOUNT", lanes, "-inf", "(" .. score)
end

-- A walk over the lanes of a type, or of one of its ranks. Those that it has passed over stay full as long as the call lasts, and taken jobs put
-- lanes back only, so that its place stays right.
local function walk_over(name, rank, passed, left)
  local lanes = lanes_of(name)
  return { lanes = lanes, stop = end_of(rank), place = place_behind(lanes, passed, rank), left = left, passed = "" }
end

-- The lane and score that come next among those whose fairness key has room. When none was found, the walk's `passed` is
-- empty at its end.
local function next_with_room(walk, room_of)
  while walk.left > 0 do
    local count = math.min(walk.left, 20)
    local found = redis.call("ZRANGE", walk.lanes, walk.place, walk.place + count - 1, "WITHSCORES")
    for at = 1, #found, 2 do
      local lane, score = found[at], tonumber(found[at + 1])
      if score >= walk.stop then
        walk.passed = ""
        return nil
      end
      if room_of(string.sub(lane, 3)) > 0 then return lane, score end
      walk.place, walk.left, walk.passed = walk.place + 1, walk.left - 1, found[at + 1] .. " " .. lane
    end
    if #found < 2 * count then
      walk.passed = ""
      return nil
    end
  end
end
