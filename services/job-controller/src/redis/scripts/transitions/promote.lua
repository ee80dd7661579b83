-- promote: makes due jobs PENDING, the longest due first.
-- needs: call/context, call/isolate, record/statuses, life/moves, queue/waiting
-- reads: scheduled
-- writes: scheduled
-- arguments: limit
-- reply: how many were due, when the next one is due or 0

local function make_pending(id, job)
  if not job or job.status ~= statuses.SCHEDULED then return end
  moves.change(job, statuses.PENDING)
  job.status_time = 0
  waiting.enqueue(id, job, "back")
  moves.save(id, job)
end

return function(limit)
  local scheduled = context.prefix .. "scheduled"
  local ids = redis.call("ZRANGE", scheduled, "-inf", context.now, "BYSCORE", "LIMIT", 0, limit)
  for _, id in ipairs(ids) do
    redis.call("ZREM", scheduled, id)
    isolate.job(id, make_pending, scheduled)
  end
  local following = redis.call("ZRANGE", scheduled, 0, 0, "WITHSCORES")[2]
  return { #ids, following and tonumber(following) or 0 }
end
