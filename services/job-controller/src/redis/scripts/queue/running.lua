-- running: what runs of a limited type, for a claim in another shard.
-- needs: queue/limits
-- reads: running
-- arguments: name
-- reply: how many run, then each fairness key and how many of it
-- when memory is full: refused
return function(name)
  local held = redis.call("ZRANGE", limits.running_of(name), 0, -1)
  local reply, position = { #held }, {}
  for _, entry in ipairs(held) do
    local key = string.match(entry, "^%S*")
    if not position[key] then
      position[key] = #reply + 2
      reply[#reply + 1], reply[#reply + 2] = key, 0
    end
    reply[position[key]] = reply[position[key]] + 1
  end
  return reply
end
