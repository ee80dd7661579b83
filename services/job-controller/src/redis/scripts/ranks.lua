-- ranks: which ranks have waiting jobs, for a claim from several shards.
-- arguments: names of job types
-- reply: for each of them its ranks, the best first
transitions.ranks = function(...)
  local reply = {}
  for at, name in ipairs({ ... }) do
    local ranks, from = {}, "-inf"
    while true do
      local _, score = unpack(redis.call("ZRANGE", lanes_of(name), from, "+inf", "BYSCORE", "LIMIT", 0, 1, "WITHSCORES"))
      if not score then break end
      ranks[#ranks + 1] = math.floor(score / RANK)
      from = string.format("%.0f", (ranks[#ranks] + 1) * RANK)
    end
    reply[at] = ranks
  end
  return reply
end
