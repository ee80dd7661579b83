-- queue-state: what operators want to know of a job type's queue, beyond the counts.
-- arguments: name
-- reply: when the oldest of the next jobs was launched or 0, 1 when it is paused, how many lanes it has
-- The oldest is looked for at the front of the first lanes.
local MOST_LANES_SEEN = 200

transitions["queue-state"] = function(name)
  local oldest = 0
  for _, lane in ipairs(redis.call("ZRANGE", lanes_of(name), 0, MOST_LANES_SEEN - 1)) do
    local job = find(redis.call("LINDEX", front_of(name, lane), 0))
    if job and (oldest == 0 or job[ENQUEUED] < oldest) then oldest = job[ENQUEUED] end
  end
  return { oldest, redis.call("SISMEMBER", prefix .. "paused", name), redis.call("ZCARD", lanes_of(name)) }
end
