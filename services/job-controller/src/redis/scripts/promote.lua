-- promote: makes due jobs PENDING, the longest due first.
-- arguments: limit
-- reply: how many were due, when the next one is due or 0
local function make_pending(id, job)
  if not job or job[STATUS] ~= SCHEDULED then return end
  move(job, PENDING)
  job[RUN_AT] = 0
  enqueue(id, job, "back")
  save(id, job)
end

transitions.promote = function(limit)
  local ids = redis.call("ZRANGE", scheduled, "-inf", now, "BYSCORE", "LIMIT", 0, limit)
  for _, id in ipairs(ids) do
    redis.call("ZREM", scheduled, id)
    attempt(id, make_pending, scheduled)
  end
  local following = redis.call("ZRANGE", scheduled, 0, 0, "WITHSCORES")[2]
  return { #ids, following and tonumber(following) or 0 }
end
