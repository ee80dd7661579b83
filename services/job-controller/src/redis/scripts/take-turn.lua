-- take-turn: lets one controller at a time claim jobs of a type whose limit holds over several shards; in the type's shard.
-- arguments: name, whose turn it is to be, for how long in ms
-- reply: 1 when it is theirs, else 0
transitions["take-turn"] = function(name, owner, ms)
  return redis.call("SET", turn_of(name), owner, "NX", "PX", ms) and 1 or 0
end
