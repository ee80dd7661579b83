-- queue-state: what operators want to know of a job type's queue, beyond the counts.
-- arguments: name
-- reply: when the oldest of the next jobs was launched or 0, 1 when it is paused, how many lanes it has
-- The oldest is looked for at the front of the first ten lanes, behind ids that jobs left there which wait no more.
local MOST_LEFT = 20

local function first_waiting(name, lane)
  for _, id in ipairs(redis.call("LRANGE", lane_list(name, lane), 0, MOST_LEFT)) do
    local job = find(id)
    if job and job[STATUS] == PENDING then return job end
  end
end

transitions["queue-state"] = function(name)
  local oldest = 0
  for _, lane in ipairs(redis.call("ZRANGE", lanes_of(name), 0, 9)) do
    local job = first_waiting(name, lane)
    if job and (oldest == 0 or job[ENQUEUED] < oldest) then oldest = job[ENQUEUED] end
  end
  return { oldest, redis.call("SISMEMBER", prefix .. "paused", name), redis.call("ZCARD", lanes_of(name)) }
end
