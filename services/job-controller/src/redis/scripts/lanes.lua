-- lanes: a job type's waiting jobs stand in lanes, one for each priority and fairness key. The score of a lane is its
-- rank (9 - priority) times RANK plus its turn: the least is next, and each job taken puts it one turn back.
local RANK, FIRST_TURN = 2 ^ 40, 2 ^ 39

local function lane_of(job)
  return (9 - job[PRIORITY]) .. ":" .. job[FAIRNESS]
end

local function lanes_of(name)
  return prefix .. "lanes:" .. name
end

local function lane_list(name, lane)
  return prefix .. "ready:" .. name .. ":" .. lane
end

-- So far from either end of a lane a job is looked for.
local MOST_SOUGHT = 200

-- Takes a job from its lane that is not to run. One that stands far from both ends leaves its id there, where a claim
-- or a drain drops it when it comes that far.
local function leave_lane(id, job)
  local name, lane = job[NAME], lane_of(job)
  local list = lane_list(name, lane)
  for from_end = -1, 1, 2 do
    if redis.call("LPOS", list, id, "RANK", from_end, "MAXLEN", MOST_SOUGHT) then
      redis.call("LREM", list, from_end, id)
      break
    end
  end
  if redis.call("EXISTS", list) == 1 then return end
  redis.call("ZREM", lanes_of(name), lane)
  if redis.call("EXISTS", lanes_of(name)) == 0 then redis.call("DEL", prefix .. "turns:" .. name) end
end

-- Puts a job to the end (RPUSH) or the front (LPUSH) of its lane. A lane that begins anew is next among its rank, unless it
-- had its turn just now: to empty a lane and fill it again gains nothing.
local function enqueue(id, job, side)
  local name, lane = job[NAME], lane_of(job)
  if redis.call(side, lane_list(name, lane), id) > 1 then return end
  local rank = 9 - job[PRIORITY]
  local turn = tonumber(redis.call("HGET", prefix .. "turns:" .. name, rank) or FIRST_TURN)
  redis.call("ZADD", lanes_of(name), string.format("%.1f", rank * RANK + turn - 0.5), lane)
  ready_names[name] = true
end
