-- take-turn: lets one controller at a time claim jobs of a type whose limit holds over several shards; in the type's shard.
-- A controller that has the turn already begins it anew: the answer was lost, and nothing was claimed.
-- needs: call/context, queue/limits
-- reads: claim-turn
-- writes: claim-turn
-- arguments: name, whose turn it is to be, for how long in ms
-- reply: when their turn ends by the clock of Redis, in ms since 1970; 0 when it is somebody else's
return function(name, owner, ms)
  local turn = context.prefix .. "claim-turn:" .. name
  local holder = redis.call("GET", turn)
  if holder and holder ~= owner then return 0 end
  redis.call("SET", turn, owner, "PX", ms)
  return limits.redis_now() + tonumber(ms)
end
