-- queue-state: what operators want to know of a job type's queue, beyond the counts.
-- needs: call/context, call/isolate, queue/lane-lists, queue/lanes
-- reads: lanes, ready, paused
-- arguments: name
-- reply: when the oldest of the next jobs was launched or 0, 1 when it is paused, how many lanes it has
-- when memory is full: refused

-- The oldest is looked for at the front of the first lanes.
local MOST_LANES_SEEN = 200

return function(name)
  local all, oldest = lanes.of(name), 0
  for _, lane in ipairs(redis.call("ZRANGE", all, 0, MOST_LANES_SEEN - 1)) do
    isolate.job(redis.call("LINDEX", lane_lists.front_of(name, lane), 0), function(_, job)
      if job and (oldest == 0 or job.enqueued < oldest) then oldest = job.enqueued end
    end)
  end
  return { oldest, redis.call("SISMEMBER", context.prefix .. "paused", name), redis.call("ZCARD", all) }
end
