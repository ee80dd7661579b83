-- take: gives a run the lock of a layer, unless another one has it; who has it already has it for longer.
-- needs: call/context
-- writes: layer-lock
-- arguments: layer with its scanner, hashed; whose the lock is to be; for how long in ms
-- reply: 1 if the lock is theirs, else 0
-- when memory is full: refused
return function(layer, owner, ms)
  local lock = context.prefix .. "layer-lock:" .. layer
  local holder = redis.call("GET", lock)
  if holder and holder ~= owner then return 0 end
  redis.call("SET", lock, owner, "PX", ms)
  return 1
end
