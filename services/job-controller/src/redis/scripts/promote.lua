-- promote: makes due jobs PENDING, the longest due first.
-- arguments: limit
-- reply: how many were due
transitions.promote = function(limit)
  local ids = redis.call("ZRANGEBYSCORE", scheduled, "-inf", now, "LIMIT", 0, limit)
  for _, id in ipairs(ids) do
    redis.call("ZREM", scheduled, id)
    local found, job, parameters = pcall(load, id)
    if found and job[STATUS] == SCHEDULED then
      move(job, PENDING)
      job[RUN_AT] = 0
      save(id, job, parameters)
      enqueue(id, job, "RPUSH")
    end
  end
  return #ids
end
