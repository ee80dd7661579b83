-- waiting: how a job comes to wait in its lane, and leaves it without having run.
-- needs: queue/lane-lists, queue/lane-end, queue/lanes
-- needs at times: call/signals, life/barred, queue/sections
-- gives: enqueue, put_back, leave
-- reads: turns
-- writes: lanes, ready

-- A lane that gets its first job is next in its rank, unless it had the last turn: emptying a lane and filling it again gains
-- nothing.
local function open(name, lane)
  local rank = string.sub(lane, 1, 1)
  local turn = redis.call("HGET", lanes.turns_of(name), rank) or lanes.FIRST_TURN
  redis.call("ZADD", lanes.of(name), string.format("%.1f", rank * lanes.RANK + turn - 0.5), lane)
end

-- Puts a job to the "back" or the "front" of its lane; the caller stores it.
local function enqueue(id, job, where)
  local is_refused = (job.postponed_since ~= 0 or job.crashes ~= 0) and modules["life/barred"].has(id)
  job.section = is_refused and lanes.REFUSED or 0
  local name, lane, section, length = job.name, lanes.name_of(job), 0, nil
  if where == "back" then
    section, length = lane_end.append(name, lane, id)
  else
    length = redis.call("LPUSH", lane_lists.front_of(name, lane), id)
  end
  if not is_refused then job.section = section end
  local is_first = length == 1 and section == 0
  if is_first then open(name, lane) end
  -- what stands before a refused job may be for other workers
  if is_first or is_refused then modules["call/signals"].ready(name) end
end

-- Puts an id whose record cannot be read now behind the others of its lane; no signal says that the lane has a job.
local function put_back(name, lane, id)
  local section, length = lane_end.append(name, lane, id)
  if length == 1 and section == 0 then open(name, lane) end
end

-- Takes a job that is not to run from its lane.
local function leave(id, job)
  local name, lane = job.name, lanes.name_of(job)
  local section = job.section == lanes.REFUSED and 0 or job.section
  if not modules["queue/sections"].remove(name, lane, section, id) then lanes.close(name, lane) end
end

return { enqueue = enqueue, put_back = put_back, leave = leave }
