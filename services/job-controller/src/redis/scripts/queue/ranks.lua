-- ranks: which ranks have waiting jobs, for a claim from several shards.
-- needs: queue/lanes
-- reads: lanes
-- arguments: names of job types
-- reply: for each of them its ranks, the best first
-- when memory is full: refused
return function(...)
  local reply = {}
  for at, name in ipairs({ ... }) do
    local ranks, from = {}, "-inf"
    while true do
      local first = redis.call("ZRANGE", lanes.of(name), from, "+inf", "BYSCORE", "LIMIT", 0, 1, "WITHSCORES")
      if not first[2] then break end
      ranks[#ranks + 1] = math.floor(first[2] / lanes.RANK)
      from = string.format("%.0f", (ranks[#ranks] + 1) * lanes.RANK)
    end
    reply[at] = ranks
  end
  return reply
end
