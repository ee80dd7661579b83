-- pause: lets the jobs of a type wait, or go on.
-- arguments: name, 1 to pause or 0 to resume
-- reply: 1 when that changed something, else 0
transitions.pause = function(name, pauses)
  if pauses == "1" then return redis.call("SADD", prefix .. "paused", name) end
  ready_names[name] = true
  return redis.call("SREM", prefix .. "paused", name)
end
