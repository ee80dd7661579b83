-- lane-walk: goes through the waiting jobs of a type to end them, lane by lane, the next lane first, a part at a time.
-- needs: call/isolate, record/statuses, queue/lane-lists, queue/sections, queue/lanes
-- gives: run
-- reads: lanes, ready
-- writes: lanes, ready

-- The rank of the lane that comes next, as a number from 0. No key has a zero byte.
local function rank_behind(all, score, lane)
  local mark = lane .. "\0"
  redis.call("ZADD", all, score, mark)
  local rank = redis.call("ZRANK", all, mark)
  redis.call("ZREM", all, mark)
  return rank
end

local function drop_first(name, lane)
  local front = lane_lists.front_of(name, lane)
  redis.call("LPOP", front)
  if redis.call("EXISTS", front) == 0 and not sections.bring_up(name, lane) then lanes.close(name, lane) end
end

-- Runs finish_job(id, job) with the jobs at the front of each lane, until stays(job): that one and those behind it
-- stay. Goes on behind that score and lane ("-inf" and empty at first), for `limit` steps at most: each id is one, and so is a
-- lane that is done. Replies how many jobs were finished, how many steps it took, then the score and lane to go on behind, nothing
-- when all is done. A lane in which jobs wait only moves back, never before that position.
local function run(name, score, lane, limit, stays, finish_job)
  local all, finished, steps = lanes.of(name), 0, 0
  local rank = rank_behind(all, score, lane)
  while steps < tonumber(limit) do
    local next_lane, next_score = unpack(redis.call("ZRANGE", all, rank, rank, "WITHSCORES"))
    if not next_lane then return { finished, steps } end
    local is_over, is_finished = false, false
    local done, is_kept = isolate.job(redis.call("LINDEX", lane_lists.front_of(name, next_lane), 0), function(id, job)
      is_over = job and stays(job)
      is_finished = job and not is_over and job.status == statuses.PENDING
      if is_finished then finish_job(id, job) end
    end)
    if is_over or is_kept then
      rank, score, lane = rank + 1, next_score, next_lane
    else
      drop_first(name, next_lane)
      if done and is_finished then finished = finished + 1 end
    end
    steps = steps + 1
  end
  return { finished, steps, score, lane }
end

return { run = run }
