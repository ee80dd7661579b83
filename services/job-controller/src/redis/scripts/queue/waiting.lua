-- waiting: how a job comes to wait in its lane, and leaves it without having run.
-- needs: queue/lane-lists, queue/lane-end, queue/lanes
-- needs at times: call/signals, queue/sections
-- gives: enqueue, put_back, leave
-- reads: turns
-- writes: lanes, ready

local function lane_of(job)
  -- the digit of 9 - priority
  return string.char(57 - job.priority) .. ":" .. job.fairness
end

-- A lane that gets its first job is next in its rank, unless it had the last turn: emptying a lane and filling it again gains
-- nothing.
local function open(name, lane)
  local rank = string.sub(lane, 1, 1)
  local turn = redis.call("HGET", lanes.turns_of(name), rank) or lanes.FIRST_TURN
  redis.call("ZADD", lanes.of(name), string.format("%.1f", rank * lanes.RANK + turn - 0.5), lane)
end

-- Puts a job to the "back" or the "front" of its lane; the caller stores it.
local function enqueue(id, job, where)
  local name, lane, length = job.name, lane_of(job), nil
  if where == "back" then
    job.section, length = lane_end.append(name, lane, id)
  else
    job.section, length = 0, redis.call("LPUSH", lane_lists.front_of(name, lane), id)
  end
  if length > 1 or job.section > 0 then return end
  open(name, lane)
  modules["call/signals"].ready(name)
end

-- Puts an id whose record cannot be read now behind the others of its lane; no signal says that the lane has a job.
local function put_back(name, lane, id)
  local section, length = lane_end.append(name, lane, id)
  if length == 1 and section == 0 then open(name, lane) end
end

-- Takes a job that is not to run from its lane.
local function leave(id, job)
  local name, lane = job.name, lane_of(job)
  if not modules["queue/sections"].remove(name, lane, job.section, id) then lanes.close(name, lane) end
end

return { enqueue = enqueue, put_back = put_back, leave = leave }
