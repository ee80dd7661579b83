-- end-turn: the claim turn is over, unless it is somebody else's already.
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
