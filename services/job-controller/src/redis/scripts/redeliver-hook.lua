-- redeliver-hook: makes the failed events of a job's hook due again, before those that wait.
-- arguments: id
-- reply: how many they are; errors: JOB_NOT_FOUND
transitions["redeliver-hook"] = function(id)
  local job = load(id)
  local failed = redis.call("LRANGE", hook_failures(id), 0, -1)
  if #failed == 0 and job[HOOK_STATUS] ~= HOOK_GONE then return 0 end
  for at = #failed, 1, -1 do
    local event = cjson.decode(failed[at])
    event[4] = now
    redis.call("LPUSH", hook_events(id), cjson.encode(event))
  end
  redis.call("DEL", hook_failures(id))
  redis.call("HDEL", prefix .. "hook-tries", id)
  if #failed > 0 then hook_at(id, now, "LT") end
  set_hook(id, job, HOOK_DELIVERED)
  note_hook(id, job)
  store(id, job)
  return #failed
end
