-- end-turn: ends a controller's claim turn, unless another one has it by now.
-- needs: call/context
-- reads: claim-turn
-- writes: claim-turn
-- arguments: name, whose turn it was
-- reply: "OK"
return function(name, owner)
  local turn = context.prefix .. "claim-turn:" .. name
  if redis.call("GET", turn) == owner then redis.call("DEL", turn) end
  return "OK"
end
