-- queue-state: what operators want to know of a job type's queue, beyond the counts.
-- arguments: name
-- reply: when the oldest of the next jobs was launched or 0, 1 when it is paused, how many lanes it has
-- The oldest is looked for at the front of the first lanes, behind ids that jobs left there which wait no more.
local MOST_LANES_SEEN, MOST_LEFT = 200, 500

transitions["queue-state"] = function(name)
  local oldest, left = 0, MOST_LEFT
  local function first_waiting(list)
    for at = 0, left do
      local id = redis.call("LINDEX", list, at)
      local job = id and find(id)
      if not id or job and job[STATUS] == PENDING then return job end
      left = left - 1
    end
  end
  for _, lane in ipairs(redis.call("ZRANGE", lanes_of(name), 0, MOST_LANES_SEEN - 1)) do
    local job = first_waiting(lane_list(name, lane))
    if job and (oldest == 0 or job[ENQUEUED] < oldest) then oldest = job[ENQUEUED] end
  end
  return { oldest, redis.call("SISMEMBER", prefix .. "paused", name), redis.call("ZCARD", lanes_of(name)) }
end
