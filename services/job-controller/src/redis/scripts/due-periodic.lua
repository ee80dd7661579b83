-- due-periodic: the periodic jobs whose time has come.
-- arguments: limit
-- reply: when the next of the others is due or 0, then for each id, the time that is due, its schedule as JSON
transitions["due-periodic"] = function(limit)
  local periodic = prefix .. "periodic"
  local due = redis.call("ZRANGE", periodic, "-inf", now, "BYSCORE", "LIMIT", 0, limit, "WITHSCORES")
  local following = redis.call("ZRANGE", periodic, "(" .. now, "(+inf", "BYSCORE", "LIMIT", 0, 1, "WITHSCORES")[2]
  local reply = { following and tonumber(following) or 0 }
  for at = 1, #due, 2 do
    local job = find(due[at])
    if job then
      reply[#reply + 1] = { due[at], tonumber(due[at + 1]), job[SCHEDULE] }
    else
      redis.call("ZREM", periodic, due[at])
    end
  end
  return reply
end
