-- redeliver-hook: makes the failed events of a job's hook due again, before those that wait; the newest, if not all have room.
-- arguments: id, length of the lease in ms
-- reply: how many they are; errors: JOB_NOT_FOUND
transitions["redeliver-hook"] = function(id, lease)
  local job = load(id)
  local events, failures = hook_events(id), hook_failures(id)
  local room = MOST_EVENTS - redis.call("LLEN", events)
  local again = room > 0 and redis.call("LRANGE", failures, -room, -1) or {}
  if #again == 0 and job[HOOK_STATUS] ~= HOOK_GONE then return 0 end
  if #again > 0 then
    local newest_first = {}
    for at, event in ipairs(again) do newest_first[#again + 1 - at] = event end
    redis.call("LPUSH", events, unpack(newest_first))
    redis.call("LTRIM", failures, 0, -1 - #again)
    redis.call("HDEL", prefix .. "hook-tries", id)
    redis.call("HSET", prefix .. "hook-redelivered", id, now)
    hook_at(id, now, "NX")
    -- a wait is cut short, a delivery that is under way is not: the next one begins when its lease is over
    hook_at(id, now + tonumber(lease), "LT")
  end
  set_hook(id, job, HOOK_DELIVERED)
  note_hook(id, job)
  store(id, job)
  return #again
end
