-- pause-queue: lets the jobs of a type wait, or go on.
-- needs: call/context, call/signals
-- writes: paused
-- arguments: name, 1 to pause or 0 to resume
-- reply: 1 when that changed something, else 0
return function(name, pauses)
  local paused = context.prefix .. "paused"
  if pauses == "1" then return redis.call("SADD", paused, name) end
  signals.ready(name)
  return redis.call("SREM", paused, name)
end
