-- signals: what is published to the controllers at the end of the call (docs/redis-keys.md, Signals).
-- needs: call/context
-- gives: ready, due, hook, command, drain
-- writes: signals
local channel = context.prefix .. "signals"
local ready_names, earliest_due, earliest_hook = {}, nil, nil

-- A queue that was empty has a job, or a limit has room.
local function ready(name)
  ready_names[name] = true
end

-- A job or a periodic job is due then.
local function due(at)
  if not earliest_due or at < earliest_due then earliest_due = at end
end

-- A status hook has an event that is due then.
local function hook(at)
  if not earliest_hook or at < earliest_hook then earliest_hook = at end
end

-- A running job is to end. Published at once, since each one names another job.
local function command(worker, id, token, command)
  redis.call("PUBLISH", channel, string.format("command %s %s %.0f %d", worker, id, token, command))
end

-- A worker's process is to take no more jobs.
local function drain(worker, incarnation)
  redis.call("PUBLISH", channel, "drain " .. worker .. " " .. incarnation)
end

local function publish()
  for name in pairs(ready_names) do redis.call("PUBLISH", channel, "ready " .. name) end
  if earliest_due then redis.call("PUBLISH", channel, string.format("due %.0f", earliest_due)) end
  if earliest_hook then redis.call("PUBLISH", channel, string.format("hook %.0f", earliest_hook)) end
end

context.afterwards[#context.afterwards + 1] = publish

return { ready = ready, due = due, hook = hook, command = command, drain = drain }
