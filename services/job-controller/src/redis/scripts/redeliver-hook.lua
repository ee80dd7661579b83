-- redeliver-hook: makes a hook's failed events due again, in their order with those that wait; the newest if not all have room.
-- arguments: id, length of the lease in ms
-- reply: how many they are; errors: JOB_NOT_FOUND
local function sort_events(events)
  local sequences = {}
  for _, event in ipairs(events) do sequences[event] = tonumber(string.match(event, "%d+")) end
  table.sort(events, function(a, b) return sequences[a] < sequences[b] end)
end

transitions["redeliver-hook"] = function(id, lease)
  local job = load(id)
  local events, failures = hook_events(id), hook_failures(id)
  local all = redis.call("LRANGE", events, 0, -1)
  local room = MOST_EVENTS - #all
  local again = room > 0 and redis.call("LRANGE", failures, -room, -1) or {}
  if #again == 0 and job[HOOK_STATUS] ~= HOOK_GONE then return 0 end
  if #again > 0 then
    for _, event in ipairs(again) do all[#all + 1] = event end
    sort_events(all)
    redis.call("UNLINK", events)
    redis.call("RPUSH", events, unpack(all))
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
