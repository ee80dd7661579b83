-- redeliver: makes a status hook's failed events due again, in their order with those that wait; the newest if not all have
-- room. An event that waits for its next try is due at once.
-- needs: call/context, record/hook-statuses, record/store, hooks/outbox, hooks/state, hooks/hosts
-- reads: hook-tries, hook-leases
-- writes: hook-events, hook-failed, hook-redelivered
-- arguments: id
-- reply: how many failed events are due again
-- errors: JOB_NOT_FOUND
local function sort_events(events)
  local sequences = {}
  for _, event in ipairs(events) do sequences[event] = tonumber(string.match(event, "%d+")) end
  table.sort(events, function(a, b) return sequences[a] < sequences[b] end)
end

return function(id)
  local job = store.load(id)
  local events, failures, host = state.events_of(id), state.failures_of(id), hosts.of(job)
  local all = redis.call("LRANGE", events, 0, -1)
  local room = outbox.MOST_EVENTS - #all
  local again = room > 0 and redis.call("LRANGE", failures, -room, -1) or {}
  local is_tried = redis.call("HEXISTS", context.prefix .. "hook-tries", id) == 1
  if #again == 0 and not is_tried and job.hook_status ~= hook_statuses.GONE then return 0 end
  if #again > 0 then
    for _, event in ipairs(again) do all[#all + 1] = event end
    sort_events(all)
    redis.call("UNLINK", events)
    redis.call("RPUSH", events, unpack(all))
    redis.call("LTRIM", failures, 0, -1 - #again)
    hosts.try_at(host, id, context.now, "NX")
  end
  if #again > 0 or is_tried then
    redis.call("HSET", context.prefix .. "hook-redelivered", id, context.now)
    -- a wait is cut short, a delivery in flight is not
    local is_in_flight = redis.call("ZSCORE", hosts.leases_of(host), id)
    if not is_in_flight then hosts.try_at(host, id, context.now, "LT") end
  end
  state.set(id, job, hook_statuses.DELIVERED)
  state.note(id, job)
  state.clear_tries(id, job)
  store.put(id, job)
  return #again
end
