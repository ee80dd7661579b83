-- give-back: ends a run's lock of a layer, unless another one has it by now.
-- needs: call/context
-- writes: layer-lock
-- arguments: layer with its scanner, hashed; whose the lock was
-- reply: "OK"
return function(layer, owner)
  local lock = context.prefix .. "layer-lock:" .. layer
  if redis.call("GET", lock) == owner then redis.call("UNLINK", lock) end
  return "OK"
end
