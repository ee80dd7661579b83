-- settle-hook: notes what came of a delivery.
-- Whoever does not hold the lease any more can still say that the event was delivered, and nothing else.
-- arguments: id, event, end of the lease, outcome (delivered, retry, failed, gone), when to try again, why it failed or empty
-- reply: "OK"; errors: JOB_NOT_FOUND
local function give_up(id, job)
  set_hook(id, job, HOOK_GONE)
  fail_events(id, redis.call("LRANGE", hook_events(id), 0, -1))
  redis.call("UNLINK", hook_events(id))
end

transitions["settle-hook"] = function(id, event, lease_end, outcome, retry_at, cause)
  local job = load(id)
  local due, tries = prefix .. "hook-due", prefix .. "hook-tries"
  local held = tonumber(redis.call("ZSCORE", due, id) or -1) == tonumber(lease_end)
  if outcome ~= "delivered" and not held then return "OK" end
  if cause ~= "" then redis.call("HSET", prefix .. "hook-causes", id, string.format("%.0f ", now) .. cause) end
  if outcome == "retry" then
    redis.call("HINCRBY", tries, id, 1)
    hook_at(id, tonumber(retry_at), "XX")
    return "OK"
  end
  local removed = redis.call("LREM", hook_events(id), 1, event)
  if outcome == "delivered" then
    -- it may have been taken for failed while it was under way
    if removed == 0 then redis.call("LREM", hook_failures(id), 1, event) end
  elseif removed == 1 then
    fail_events(id, { event })
  end
  if outcome == "gone" then give_up(id, job) end
  redis.call("HDEL", tries, id)
  if redis.call("EXISTS", hook_events(id)) == 0 then
    redis.call("ZREM", due, id)
    redis.call("HDEL", prefix .. "hook-redelivered", id)
  elseif held then
    hook_at(id, now, "XX")
  end
  note_hook(id, job)
  local is_well = job[HOOK_STATUS] == HOOK_PENDING or job[HOOK_STATUS] == HOOK_DELIVERED
  if outcome == "delivered" and is_well then redis.call("HDEL", prefix .. "hook-causes", id) end
  store(id, job)
  return "OK"
end
