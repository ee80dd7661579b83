-- drain-queue: stops the waiting jobs of a type that were launched before the drain began, lane by lane, the next lane first.
-- needs: call/isolate, record/statuses, record/commands, record/index, life/moves, life/finish, life/children,
--   queue/lane-lists, queue/sections, queue/lanes
-- reads: lanes, ready
-- writes: lanes, ready
-- arguments: name, the newest entry of the index when the drain began, score and lane behind which to go on ("-inf" and
--   empty at first), how many steps at most: each id is one, and so is a lane that is done
-- reply: how many were stopped, how many steps it took, then score and lane to go on behind, nothing when all is done

-- Ids stand in a lane in the order of their launch, except ids that came to wait later. So behind the first id that was
-- launched after the drain began, nothing waited then. And a lane in which jobs wait only moves back, never before the place.

-- The rank of the lane that comes next, as a number from 0. No key has a zero byte.
local function rank_behind(all, score, lane)
  local mark = lane .. "\0"
  redis.call("ZADD", all, score, mark)
  local rank = redis.call("ZRANK", all, mark)
  redis.call("ZREM", all, mark)
  return rank
end

local function is_launched_after(job, newest)
  local at, place = string.match(index.entry_of(job.enqueued, job.place, job.entry), "^(%d+)-(%d+)$")
  local newest_at, newest_place = string.match(newest, "^(%d+)-(%d+)$")
  at, newest_at = tonumber(at), tonumber(newest_at)
  return at > newest_at or at == newest_at and tonumber(place) > tonumber(newest_place)
end

local function stop_waiting(id, job)
  finish.job(id, job, statuses.STOPPED)
  children.pass_on(id, job, commands.STOP)
  moves.save(id, job)
end

local function drop_first(name, lane)
  local front = lane_lists.front_of(name, lane)
  redis.call("LPOP", front)
  if redis.call("EXISTS", front) == 0 and not sections.bring_up(name, lane) then lanes.close(name, lane) end
end

return function(name, newest, score, lane, limit)
  local all, stopped, steps = lanes.of(name), 0, 0
  local rank = rank_behind(all, score, lane)
  while steps < tonumber(limit) do
    local next_lane, next_score = unpack(redis.call("ZRANGE", all, rank, rank, "WITHSCORES"))
    if not next_lane then return { stopped, steps } end
    local is_later, is_stopped = false, false
    local done, stays = isolate.job(redis.call("LINDEX", lane_lists.front_of(name, next_lane), 0), function(id, job)
      is_later = job and is_launched_after(job, newest)
      is_stopped = job and not is_later and job.status == statuses.PENDING
      if is_stopped then stop_waiting(id, job) end
    end)
    if is_later or stays then
      rank, score, lane = rank + 1, next_score, next_lane
    else
      drop_first(name, next_lane)
      if done and is_stopped then stopped = stopped + 1 end
    end
    steps = steps + 1
  end
  return { stopped, steps, score, lane }
end
