-- end-turn: the turn is over, unless it is somebody else's already.
-- arguments: name, whose turn it was
-- reply: "OK"
transitions["end-turn"] = function(name, owner)
  if redis.call("GET", turn_of(name)) == owner then redis.call("DEL", turn_of(name)) end
  return "OK"
end
