-- settle: notes what came of a delivery. A controller that does not hold the lease any more can still say that the event was
-- delivered, and nothing else.
-- needs: call/context, record/hook-statuses, record/store, hooks/outbox
-- reads: hook-events
-- writes: hook-due, hook-events, hook-failed, hook-tries, hook-causes, hook-redelivered
-- arguments: id, event, end of the lease, outcome (delivered, retry, failed, gone), when to try again, why it failed or empty
-- reply: "OK"
-- errors: JOB_NOT_FOUND
local prefix = context.prefix

local function give_up(id, job)
  outbox.set(id, job, hook_statuses.GONE)
  outbox.fail(id, redis.call("LRANGE", outbox.events_of(id), 0, -1))
  redis.call("UNLINK", outbox.events_of(id))
end

local function remove(id, event, outcome)
  local removed = redis.call("LREM", outbox.events_of(id), 1, event)
  if outcome == "delivered" then
    -- it may have been taken for failed while it was under way
    if removed == 0 then redis.call("LREM", outbox.failures_of(id), 1, event) end
  elseif removed == 1 then
    outbox.fail(id, { event })
  end
end

return function(id, event, lease_end, outcome, retry_at, cause)
  local job = store.load(id)
  local due, tries = prefix .. "hook-due", prefix .. "hook-tries"
  local held = tonumber(redis.call("ZSCORE", due, id) or -1) == tonumber(lease_end)
  if outcome ~= "delivered" and not held then return "OK" end
  if cause ~= "" then redis.call("HSET", prefix .. "hook-causes", id, string.format("%.0f ", context.now) .. cause) end
  if outcome == "retry" then
    redis.call("HINCRBY", tries, id, 1)
    outbox.try_at(id, tonumber(retry_at), "XX")
    return "OK"
  end
  remove(id, event, outcome)
  if outcome == "gone" then give_up(id, job) end
  redis.call("HDEL", tries, id)
  if redis.call("EXISTS", outbox.events_of(id)) == 0 then
    redis.call("ZREM", due, id)
    redis.call("HDEL", prefix .. "hook-redelivered", id)
  elseif held then
    outbox.try_at(id, context.now, "XX")
  end
  outbox.note(id, job)
  local is_well = job.hook_status == hook_statuses.PENDING or job.hook_status == hook_statuses.DELIVERED
  if outcome == "delivered" and is_well then redis.call("HDEL", prefix .. "hook-causes", id) end
  store.put(id, job)
  return "OK"
end
