-- due: leases the jobs whose status hook has an event to send, host by host, so that one controller sends it.
-- needs: call/context, call/isolate, hooks/state, hooks/hosts
-- reads: hook-events, hook-tries, hook-redelivered, hook-hosts
-- writes: hook-due, hook-leases
-- arguments: limit for hosts that are new or quick, limit for slow hosts, how many of one host may be leased at once, length
--   of the lease in ms, whether new hosts come before quick ones (1 or 0), whether what became due last comes first (1 or 0)
-- reply: when the next of the others is due or 0, without the hosts for which the limit is used up; then for each id, URL,
--   event, failures of it so far, end of the lease, when failed events were last made due again or 0, whether its host is slow
local now, prefix = context.now, context.prefix

local function first_time(key)
  return tonumber(redis.call("ZRANGE", key, 0, 0, "WITHSCORES")[2])
end

local function range_due(key, limit, newest_first)
  if newest_first then return redis.call("ZRANGE", key, now, "-inf", "BYSCORE", "REV", "LIMIT", 0, limit) end
  return redis.call("ZRANGE", key, "-inf", now, "BYSCORE", "LIMIT", 0, limit)
end

local function lease_event(reply, host, lease_end, slow)
  return function(id, job)
    local event = redis.call("LINDEX", state.events_of(id), 0)
    if not job or not event then return hosts.drop(host, id) end
    -- the controller that sends the event must be able to read the record
    cjson.decode(event)
    redis.call("ZADD", hosts.due_of(host), lease_end, id)
    redis.call("ZADD", hosts.leases_of(host), lease_end, id)
    local failures, redelivered = redis.call("HGET", prefix .. "hook-tries", id), redis.call("HGET", prefix .. "hook-redelivered", id)
    reply[#reply + 1] = { id, job.hook, event, tonumber(failures or 0), lease_end, tonumber(redelivered or 0), slow }
  end
end

return function(quick_limit, slow_limit, host_limit, lease, new_hosts_first, newest_first)
  local reply, lease_end, next_due = { 0 }, now + tonumber(lease), nil
  host_limit, newest_first = tonumber(host_limit), newest_first == "1"

  -- A host that has no room is next when a lease of it ends; else it goes behind the other hosts.
  local function serve(host, class, limit, slow)
    local due, leases, lease_one = hosts.due_of(host), hosts.leases_of(host), lease_event(reply, host, lease_end, slow)
    redis.call("ZREMRANGEBYSCORE", leases, "-inf", now)
    local room = math.min(limit, host_limit - redis.call("ZCARD", leases))
    for _, id in ipairs(room > 0 and range_due(due, room, newest_first) or {}) do isolate.job(id, lease_one, due) end
    local at = first_time(redis.call("ZCARD", leases) >= host_limit and leases or due)
    hosts.requeue(host, class == "new" and "slow" or class, at and math.max(now, at))
  end

  -- Each host has an equal part of the limit first, then the rest. Returns how much of the limit is left.
  local function serve_class(class, limit, newest)
    local most, names = #reply + limit, range_due(hosts.class(class), limit, newest)
    for _, part in ipairs(class == "new" and { 1 } or { math.ceil(limit / math.max(1, #names)), limit }) do
      for _, host in ipairs(names) do
        local left = math.min(part, most - #reply)
        if left > 0 then serve(host, class, left, class == "slow" and 1 or 0) end
      end
    end
    local at = #reply < most and first_time(hosts.class(class))
    next_due = at and math.min(at, next_due or at) or next_due
    return most - #reply
  end

  -- from both ends, so that a new host does not wait for all older ones
  local function serve_new(limit)
    return serve_class("new", math.floor(limit / 2) + serve_class("new", math.ceil(limit / 2), newest_first), not newest_first)
  end

  serve_class("slow", tonumber(slow_limit))
  if new_hosts_first == "1" then serve_class("quick", serve_new(quick_limit)) else serve_new(serve_class("quick", quick_limit)) end
  reply[1] = next_due or 0
  return reply
end
