-- queue-state: what operators want to know of a job type's queue, beyond the counts.
-- needs: call/context, call/isolate, queue/lane-lists, queue/lanes
-- reads: lanes, ready, paused
-- arguments: name
-- reply: when the oldest of the next jobs was launched or 0, 1 when it is paused, how many lanes it has
-- when memory is full: refused

-- The oldest job is searched at the front of the first lanes, until this number of bytes of records was read.
local MOST_LANES_SEEN, MOST_BYTES = 200, 2 * 1024 * 1024

return function(name)
  local all, oldest, bytes = lanes.of(name), 0, 0
  local function look(_, job)
    if not job then return end
    bytes = bytes + #job.bytes
    if oldest == 0 or job.enqueued < oldest then oldest = job.enqueued end
  end
  for _, lane in ipairs(redis.call("ZRANGE", all, 0, MOST_LANES_SEEN - 1)) do
    if bytes >= MOST_BYTES then break end
    isolate.job(redis.call("LINDEX", lane_lists.front_of(name, lane), 0), look)
  end
  return { oldest, redis.call("SISMEMBER", context.prefix .. "paused", name), redis.call("ZCARD", all) }
end
