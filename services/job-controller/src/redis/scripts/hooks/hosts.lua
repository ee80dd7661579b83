-- hosts: which host is sent status hooks next, so that no host makes the others wait.
-- needs: call/context, call/signals
-- gives: of, due_of, leases_of, class, requeue, try_at, release, drop
-- reads: hook-hosts
-- writes: hook-due, hook-leases, hook-hosts, hook-waiting
local now, prefix = context.now, context.prefix
-- Each host that is to be sent something is in one of them: new until its first try, slow until its latest answer was quick.
local classes = { "new", "quick", "slow" }

-- The host in the URL of a job's hook, which the controller stores in its normal form.
local function host_of(job)
  return string.match(job.hook, "^%w+://([^/?#]*)") or ""
end

-- Jobs of the host with an event to send, by the time of the next try; while that is leased, by the end of the lease.
local function due_of(host)
  return prefix .. "hook-due:" .. host
end

-- Jobs of the host whose event is leased, by the end of the lease.
local function leases_of(host)
  return prefix .. "hook-leases:" .. host
end

-- Hosts of the class, by the time from which they may be sent something.
local function class_key(class)
  return prefix .. "hook-hosts:" .. class
end

local function class_of(host)
  for _, class in ipairs(classes) do
    if redis.call("ZSCORE", class_key(class), host) then return class end
  end
  return "new"
end

-- Puts the host into the class; it may be sent something from that time on.
local function requeue(host, class, at)
  for _, other in ipairs(classes) do
    if other ~= class then redis.call("ZREM", class_key(other), host) end
  end
  if at then redis.call("ZADD", class_key(class), at, host) else redis.call("ZREM", class_key(class), host) end
end

-- Lets the job's next event be tried at that time; mode is a flag of ZADD.
local function try_at(host, id, at, mode)
  if redis.call("ZADD", due_of(host), mode, "CH", at, id) == 0 then return end
  if mode == "NX" then redis.call("INCRBY", prefix .. "hook-waiting", 1) end
  redis.call("ZADD", class_key(class_of(host)), "LT", at, host)
  signals.hook(at)
end

-- Ends the job's lease. The host, which has room for another one now, is of that class.
local function release(host, id, class)
  redis.call("ZREM", leases_of(host), id)
  local first = redis.call("ZRANGE", due_of(host), 0, 0, "WITHSCORES")[2]
  requeue(host, class, first and math.max(now, tonumber(first)))
end

-- Takes out a job that has nothing to send.
local function drop(host, id)
  redis.call("ZREM", leases_of(host), id)
  if redis.call("ZREM", due_of(host), id) == 1 and redis.call("INCRBY", prefix .. "hook-waiting", -1) == 0 then
    redis.call("UNLINK", prefix .. "hook-waiting")
  end
  if redis.call("EXISTS", due_of(host)) == 0 then requeue(host, "new") end
end

return { of = host_of, due_of = due_of, leases_of = leases_of, class = class_key, requeue = requeue, try_at = try_at,
  release = release, drop = drop }
