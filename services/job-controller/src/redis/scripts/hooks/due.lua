-- due: leases the jobs whose status hook is to be told something, so that one controller tells it.
-- needs: call/context, call/isolate, hooks/outbox
-- reads: hook-events, hook-tries, hook-redelivered
-- writes: hook-due
-- arguments: limit, length of the lease in ms, whether those come first that became due last (1 or 0)
-- reply: when the next of the others is due or 0, then for each id, URL, event, failures of it so far, end of the lease,
--   when failed events were last made due again or 0
return function(limit, lease, newest_first)
  local now, prefix = context.now, context.prefix
  local due, lease_end = prefix .. "hook-due", now + tonumber(lease)
  local ids = newest_first == "1" and redis.call("ZRANGE", due, now, "-inf", "BYSCORE", "REV", "LIMIT", 0, limit)
    or redis.call("ZRANGE", due, "-inf", now, "BYSCORE", "LIMIT", 0, limit)
  local reply = { 0 }
  local function lease_event(id, job)
    local event = redis.call("LINDEX", outbox.events_of(id), 0)
    if not job or not event then return redis.call("ZREM", due, id) end
    -- whoever tells it must be able to read it
    cjson.decode(event)
    redis.call("ZADD", due, lease_end, id)
    local failures = tonumber(redis.call("HGET", prefix .. "hook-tries", id) or 0)
    local redelivered = tonumber(redis.call("HGET", prefix .. "hook-redelivered", id) or 0)
    reply[#reply + 1] = { id, job.hook, event, failures, lease_end, redelivered }
  end
  for _, id in ipairs(ids) do isolate.job(id, lease_event, due) end
  local following = redis.call("ZRANGE", due, 0, 0, "WITHSCORES")[2]
  reply[1] = following and tonumber(following) or 0
  return reply
end
