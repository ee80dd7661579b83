-- lanes: a job type's waiting jobs stand in lanes, one for each priority and fairness key. The score of a lane is its rank
-- (9 - priority) times RANK plus its turn: the lane with the least score is next, and each job taken puts it one turn back.
-- needs: call/context, call/signals, queue/lane-lists, queue/sections
-- gives: RANK, FIRST_TURN, of, end_of, close, leave, put_back, enqueue
-- reads: turns
-- writes: lanes, turns, ready
local RANK, FIRST_TURN = 2 ^ 40, 2 ^ 39
local prefix = context.prefix

local function lane_of(job)
  -- the digit of 9 - priority
  return string.char(57 - job.priority) .. ":" .. job.fairness
end

-- The key of a type's lanes.
local function of(name)
  return prefix .. "lanes:" .. name
end

-- The score that is behind the lanes of a rank, or of all ranks.
local function end_of(rank)
  return rank and (rank + 1) * RANK or math.huge
end

-- Forgets a lane without jobs, and the turns when it was the last one; whether others are left.
local function close(name, lane)
  redis.call("ZREM", of(name), lane)
  if redis.call("EXISTS", of(name)) == 1 then return true end
  redis.call("DEL", prefix .. "turns:" .. name)
  return false
end

-- Takes a job that is not to run from its lane.
local function leave(id, job)
  local name, lane = job.name, lane_of(job)
  if not sections.remove(name, lane, job.section, id) then close(name, lane) end
end

-- A lane that begins anew is next among its rank, unless it had its turn just now: to empty a lane and fill it again gains
-- nothing.
local function open(name, lane)
  local rank = tonumber(string.sub(lane, 1, 1))
  local turn = tonumber(redis.call("HGET", prefix .. "turns:" .. name, rank) or FIRST_TURN)
  redis.call("ZADD", of(name), string.format("%.1f", rank * RANK + turn - 0.5), lane)
end

-- Puts an id whose record cannot be read now behind the others of its lane; nobody is told that the lane has a job.
local function put_back(name, lane, id)
  local section, length = sections.append(name, lane, id)
  if length == 1 and section == 0 then open(name, lane) end
end

-- Puts a job to the "back" or the "front" of its lane; the caller stores it.
local function enqueue(id, job, where)
  local name, lane, length = job.name, lane_of(job), nil
  if where == "back" then
    job.section, length = sections.append(name, lane, id)
  else
    job.section, length = 0, redis.call("LPUSH", lane_lists.front_of(name, lane), id)
  end
  if length > 1 or job.section > 0 then return end
  open(name, lane)
  signals.ready(name)
end

return { RANK = RANK, FIRST_TURN = FIRST_TURN, of = of, end_of = end_of, close = close, leave = leave,
  put_back = put_back, enqueue = enqueue }
