-- redeliver: makes a status hook's failed events due again, in their order with those that wait; the newest if not all have
-- room.
-- needs: call/context, record/hook-statuses, record/store, hooks/outbox
-- writes: hook-events, hook-failed, hook-tries, hook-redelivered
-- arguments: id, length of the lease in ms
-- reply: how many they are
-- errors: JOB_NOT_FOUND
local function sort_events(events)
  local sequences = {}
  for _, event in ipairs(events) do sequences[event] = tonumber(string.match(event, "%d+")) end
  table.sort(events, function(a, b) return sequences[a] < sequences[b] end)
end

return function(id, lease)
  local job = store.load(id)
  local events, failures = outbox.events_of(id), outbox.failures_of(id)
  local all = redis.call("LRANGE", events, 0, -1)
  local room = outbox.MOST_EVENTS - #all
  local again = room > 0 and redis.call("LRANGE", failures, -room, -1) or {}
  if #again == 0 and job.hook_status ~= hook_statuses.GONE then return 0 end
  if #again > 0 then
    for _, event in ipairs(again) do all[#all + 1] = event end
    sort_events(all)
    redis.call("UNLINK", events)
    redis.call("RPUSH", events, unpack(all))
    redis.call("LTRIM", failures, 0, -1 - #again)
    redis.call("HDEL", context.prefix .. "hook-tries", id)
    redis.call("HSET", context.prefix .. "hook-redelivered", id, context.now)
    outbox.try_at(id, context.now, "NX")
    -- a wait is cut short, a delivery that is under way is not: the next one begins when its lease is over
    outbox.try_at(id, context.now + tonumber(lease), "LT")
  end
  outbox.set(id, job, hook_statuses.DELIVERED)
  outbox.note(id, job)
  store.put(id, job)
  return #again
end
