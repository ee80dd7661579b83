-- take-turn: lets one controller at a time claim jobs of a type whose limit holds over several shards; in the type's shard.
-- arguments: name, whose turn it is to be, for how long in ms
-- reply: when their turn ends by the clock of Redis, in ms since 1970; 0 when it is somebody else's
transitions["take-turn"] = function(name, owner, ms)
  return redis.call("SET", turn_of(name), owner, "NX", "PX", ms) and redis_now() + tonumber(ms) or 0
end
