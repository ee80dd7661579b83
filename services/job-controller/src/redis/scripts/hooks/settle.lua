-- settle: notes the outcome of a delivery. A controller that does not hold the lease any more can still say that the event was
-- delivered, and nothing else.
-- needs: call/context, record/hook-statuses, record/store, hooks/outbox, hooks/state, hooks/hosts
-- reads: hook-due
-- writes: hook-events, hook-failed, hook-causes, hook-redelivered
-- arguments: id, event, end of the lease, outcome (delivered, retry, failed, gone), when to try again, why it failed or empty,
--   how the host answered (quick or slow)
-- reply: "OK"
-- errors: JOB_NOT_FOUND
local prefix = context.prefix

local function give_up(id, job)
  state.set(id, job, hook_statuses.GONE)
  outbox.fail(id, redis.call("LRANGE", state.events_of(id), 0, -1))
  redis.call("UNLINK", state.events_of(id))
end

local function remove(id, event, outcome)
  local removed = redis.call("LREM", state.events_of(id), 1, event)
  if outcome == "delivered" then
    -- the event may have been given up while its delivery was in flight
    if removed == 0 then redis.call("LREM", state.failures_of(id), 1, event) end
  elseif removed == 1 then
    outbox.fail(id, { event })
  end
end

return function(id, event, lease_end, outcome, retry_at, cause, class)
  local job = store.load(id)
  local host = hosts.of(job)
  local held = tonumber(redis.call("ZSCORE", hosts.due_of(host), id) or -1) == tonumber(lease_end)
  if outcome ~= "delivered" and not held then return "OK" end
  if cause ~= "" then redis.call("HSET", prefix .. "hook-causes", id, string.format("%.0f ", context.now) .. cause) end
  if outcome == "retry" then
    state.count_try(id)
    hosts.try_at(host, id, tonumber(retry_at), "XX")
    hosts.release(host, id, class)
    return "OK"
  end
  remove(id, event, outcome)
  if outcome == "gone" then give_up(id, job) end
  if redis.call("EXISTS", state.events_of(id)) == 0 then
    hosts.drop(host, id)
    redis.call("HDEL", prefix .. "hook-redelivered", id)
  elseif held then
    hosts.try_at(host, id, context.now, "XX")
  end
  if held then hosts.release(host, id, class) end
  state.note(id, job)
  state.clear_tries(id, job)
  local is_well = job.hook_status == hook_statuses.PENDING or job.hook_status == hook_statuses.DELIVERED
  if outcome == "delivered" and is_well then redis.call("HDEL", prefix .. "hook-causes", id) end
  store.put(id, job)
  return "OK"
end
