-- expire: puts jobs in ERROR that have waited longer than their launch allows.
-- needs: call/context, call/isolate, record/statuses, life/moves, life/finish, queue/waiting
-- reads: expiring
-- writes: expiring, scheduled
-- arguments: limit
-- reply: how many were due

local function give_up_waiting(id, job)
  if not job or job.status ~= statuses.PENDING and job.status ~= statuses.SCHEDULED then return end
  if job.status == statuses.PENDING then
    waiting.leave(id, job)
  else
    redis.call("ZREM", context.prefix .. "scheduled", id)
  end
  job.error = { "QUEUE_TIMEOUT", "no worker took the job within the time its launch allows", job.attempt, context.now }
  finish.job(id, job, statuses.ERROR)
  moves.save(id, job)
end

return function(limit)
  local expiring = context.prefix .. "expiring"
  local ids = redis.call("ZRANGE", expiring, "-inf", context.now, "BYSCORE", "LIMIT", 0, limit)
  for _, id in ipairs(ids) do
    redis.call("ZREM", expiring, id)
    isolate.job(id, give_up_waiting, expiring)
  end
  return #ids
end
