-- full-lanes: how a claim gets past lanes whose fairness key has no room, and lanes of refused jobs that are for other workers.
-- needs: queue/lanes
-- needs at times: queue/refused-lanes
-- gives: walk_over, next_with_room
-- reads: lanes

-- A call passes over at most MOST_PASSED lanes; the next call goes on behind them.
local MOST_PASSED = 200

-- The index behind the lane that an earlier call passed over last, given as its score and name; else the first one. When the
-- lane stands elsewhere now, lanes may be looked at again, but none is left out.
local function index_behind(all, passed, rank)
  local score, lane = string.match(passed, "^(%S+) (.+)$")
  if not lane then
    return rank and redis.call("ZCOUNT", all, "-inf", string.format("(%.0f", rank * lanes.RANK)) or 0
  end
  if redis.call("ZSCORE", all, lane) == score then return redis.call("ZRANK", all, lane) + 1 end
  return redis.call("ZCOUNT", all, "-inf", "(" .. score)
end

-- A walk over the lanes of a type, or of one of its ranks, for a worker; it begins with its first step. `room_of` tells how many more
-- jobs of a fairness key may run, if that is limited.
local function walk_over(name, worker, rank, passed, left, room_of)
  return { name = name, worker = worker, rank = rank, behind = passed, left = left or MOST_PASSED, passed = "",
    room_of = room_of, barred = {}, has_barred = false, index = false }
end

local function has_next(walk, lane)
  if walk.room_of and walk.room_of(string.sub(lane, 3)) <= 0 then return false end
  return not lanes.is_of_refused(lane) or modules["queue/refused-lanes"].bring_forward(walk, lane)
end

-- The lane and score that come next among those with a job that may run. Lanes that the walk has passed over stay as they are as long as
-- the call lasts, and taken jobs put lanes back only, so that its index stays right. When none was found, the walk's passed is empty at
-- its end.
local function next_with_room(walk)
  local all, stop = lanes.of(walk.name), lanes.end_of(walk.rank)
  walk.index = walk.index or index_behind(all, walk.behind, walk.rank)
  while walk.left > 0 do
    local count = math.min(walk.left, 20)
    local found = redis.call("ZRANGE", all, walk.index, walk.index + count - 1, "WITHSCORES")
    for at = 1, #found, 2 do
      local lane, score = found[at], tonumber(found[at + 1])
      if score >= stop then
        walk.passed = ""
        return nil
      end
      if walk.left <= 0 then return nil end
      if has_next(walk, lane) then return lane, score end
      walk.index, walk.left, walk.passed = walk.index + 1, walk.left - 1, found[at + 1] .. " " .. lane
    end
    if #found < 2 * count then
      walk.passed = ""
      return nil
    end
  end
end

return { walk_over = walk_over, next_with_room = next_with_room }
