-- due-periodic: the periodic jobs whose time has come.
-- arguments: limit
-- reply: when the next of the others is due or 0, then for each id, the time that is due, its schedule as JSON
transitions["due-periodic"] = function(limit)
  local periodic = prefix .. "periodic"
  local due = redis.call("ZRANGE", periodic, "-inf", now, "BYSCORE", "LIMIT", 0, limit, "WITHSCORES")
  local following = redis.call("ZRANGE", periodic, "(" .. now, "(+inf", "BYSCORE", "LIMIT", 0, 1, "WITHSCORES")[2]
  local reply = { following and tonumber(following) or 0 }
  for at = 1, #due, 2 do
    attempt(due[at], function(id, job)
      if not job then return redis.call("ZREM", periodic, id) end
      -- whoever fires it must be able to read it
      cjson.decode(job[SCHEDULE])
      reply[#reply + 1] = { id, tonumber(due[at + 1]), job[SCHEDULE] }
    end, periodic)
  end
  return reply
end
