-- running: what runs of a limited type, for a claim in another shard.
-- arguments: name
-- reply: how many run, then each fairness key and how many of it
transitions.running = function(name)
  local held = redis.call("ZRANGE", running_of(name), 0, -1)
  local reply, place = { #held }, {}
  for _, entry in ipairs(held) do
    local key = string.match(entry, "^%S*")
    if not place[key] then
      place[key] = #reply + 2
      reply[#reply + 1], reply[#reply + 2] = key, 0
    end
    reply[place[key]] = reply[place[key]] + 1
  end
  return reply
end
