-- rotation: which lane is next, and how jobs are taken from it.
-- needs: call/context, queue/lane-lists, queue/lanes
-- needs at times: queue/full-lanes, queue/sections
-- gives: pop
-- reads: lanes, turns, ready
-- writes: lanes, turns, ready

-- Puts a lane back by what was taken from it, and notes for its rank where lanes begin from now on.
local function pass_turns(name, lane, score, taken, is_empty)
  local turns = lanes.turns_of(name)
  if not is_empty then
    redis.call("ZINCRBY", lanes.of(name), context.number_text(taken), lane)
  elseif not lanes.close(name, lane) then
    return
  end
  local rank = math.floor(score / lanes.RANK)
  local turn, rank_text = score - rank * lanes.RANK + taken - (is_empty and 0 or 1), context.number_text(rank)
  if turn > tonumber(redis.call("HGET", turns, rank_text) or lanes.FIRST_TURN) then
    redis.call("HSET", turns, rank_text, string.format("%.1f", turn))
  end
end

-- The lane whose turn it is, its score, and how many of its jobs may be taken in one go: one, unless it is alone in its rank,
-- so that the lanes of a rank take turns.
local function next_lane(name, wanted)
  local lane, score, _, next_score = unpack(redis.call("ZRANGE", lanes.of(name), "0", "1", "WITHSCORES"))
  local is_alone = not next_score or math.floor(next_score / lanes.RANK) > math.floor((score or 0) / lanes.RANK)
  return lane, tonumber(score), is_alone and wanted or 1
end

-- Takes up to that many ids from the lane whose turn it is, and returns that lane too; nil when there is none. The lane is the next one of
-- the walk from when the fairness keys are limited, or a lane of refused jobs is met.
local function pop(wanted, walk)
  local name, lane, score, count = walk.name, nil, nil, 1
  local is_walking = walk.index or walk.room_of or walk.behind ~= ""
  if not is_walking then lane, score, count = next_lane(name, wanted) end
  if is_walking or lane and lanes.is_of_refused(lane) then
    lane, score = modules["queue/full-lanes"].next_with_room(walk)
    count = 1
  end
  if not lane or score >= lanes.end_of(walk.rank) then return nil end
  local front = lane_lists.front_of(name, lane)
  local ids = redis.call("LPOP", front, context.number_text(count)) or {}
  local is_empty = (#ids < count or redis.call("EXISTS", front) == 0) and not modules["queue/sections"].bring_up(name, lane)
  pass_turns(name, lane, score, #ids, is_empty)
  return ids, lane
end

return { pop = pop }
