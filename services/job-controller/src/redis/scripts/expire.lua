-- expire: puts jobs in ERROR that have waited longer than their launch allows.
-- arguments: limit
-- reply: how many were due
local function give_up_waiting(id, job)
  if not job or job[STATUS] ~= PENDING and job[STATUS] ~= SCHEDULED then return end
  if job[STATUS] == PENDING then leave_lane(id, job) else redis.call("ZREM", scheduled, id) end
  job[ERROR] = { "QUEUE_TIMEOUT", "no worker took the job within the time its launch allows", job[ATTEMPT], now }
  finish(id, job, ERRED)
  save(id, job)
end

transitions.expire = function(limit)
  local ids = redis.call("ZRANGE", prefix .. "expiring", "-inf", now, "BYSCORE", "LIMIT", 0, limit)
  for _, id in ipairs(ids) do
    redis.call("ZREM", prefix .. "expiring", id)
    attempt(id, give_up_waiting, prefix .. "expiring")
  end
  return #ids
end
