-- promote: makes due jobs PENDING, the longest due first.
-- arguments: limit
-- reply: how many were due, when the next one is due or 0
transitions.promote = function(limit)
  local ids = redis.call("ZRANGE", scheduled, "-inf", now, "BYSCORE", "LIMIT", 0, limit)
  for _, id in ipairs(ids) do
    redis.call("ZREM", scheduled, id)
    local job = find(id)
    if job and job[STATUS] == SCHEDULED then
      move(job, PENDING)
      job[RUN_AT] = 0
      enqueue(id, job, "back")
      save(id, job)
    end
  end
  local following = redis.call("ZRANGE", scheduled, 0, 0, "WITHSCORES")[2]
  return { #ids, following and tonumber(following) or 0 }
end
