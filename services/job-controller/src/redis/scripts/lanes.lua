-- lanes: a job type's waiting jobs stand in lanes, one for each priority and fairness key. The score of a lane is its
-- rank (9 - priority) times RANK plus its turn: the least is next, and each job taken puts it one turn back.
local RANK, FIRST_TURN = 2 ^ 40, 2 ^ 39

local function lane_of(job)
  return (9 - job[PRIORITY]) .. ":" .. job[FAIRNESS]
end

local function lanes_of(name)
  return prefix .. "lanes:" .. name
end

-- The score that is behind the lanes of a rank, or of all ranks.
local function end_of(rank)
  return rank and (rank + 1) * RANK or math.huge
end

-- Forgets a lane without jobs, and what is known of turns when it was the last one; whether others are left.
local function close_lane(name, lane)
  redis.call("ZREM", lanes_of(name), lane)
  if redis.call("EXISTS", lanes_of(name)) == 1 then return true end
  redis.call("DEL", prefix .. "turns:" .. name)
  return false
end

-- Takes a job from its lane that is not to run.
local function leave_lane(id, job)
  local name, lane = job[NAME], lane_of(job)
  if not remove(name, lane, job[SECTION], id) then close_lane(name, lane) end
end

-- Puts a job to the end ("back") or the "front" of its lane; the caller saves it. A lane that begins anew is next among its
-- rank, unless it had its turn just now: to empty a lane and fill it again gains nothing.
local function enqueue(id, job, where)
  local name, lane, length = job[NAME], lane_of(job), nil
  if where == "back" then
    job[SECTION], length = append(name, lane, id)
  else
    job[SECTION], length = 0, redis.call("LPUSH", front_of(name, lane), id)
  end
  if length > 1 or job[SECTION] > 0 then return end
  local rank = 9 - job[PRIORITY]
  local turn = tonumber(redis.call("HGET", prefix .. "turns:" .. name, rank) or FIRST_TURN)
  redis.call("ZADD", lanes_of(name), string.format("%.1f", rank * RANK + turn - 0.5), lane)
  ready_names[name] = true
end
