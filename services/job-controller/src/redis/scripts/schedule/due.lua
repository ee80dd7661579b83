-- due: the periodic jobs whose time has come.
-- needs: call/context, call/isolate
-- reads: periodic
-- writes: periodic
-- arguments: limit
-- reply: when the next of the others is due or 0, then for each id, the time that is due, its schedule as JSON, its type
-- when memory is full: refused
return function(limit)
  local periodic = context.prefix .. "periodic"
  local due = redis.call("ZRANGE", periodic, "-inf", context.now, "BYSCORE", "LIMIT", 0, limit, "WITHSCORES")
  local later = { "(" .. context.now, "(+inf", "BYSCORE", "LIMIT", 0, 1, "WITHSCORES" }
  local following = redis.call("ZRANGE", periodic, unpack(later))[2]
  local reply = { following and tonumber(following) or 0 }
  for at = 1, #due, 2 do
    isolate.job(due[at], function(id, job)
      if not job then return redis.call("ZREM", periodic, id) end
      -- the controller that fires it must be able to read the record
      cjson.decode(job.schedule)
      reply[#reply + 1] = { id, tonumber(due[at + 1]), job.schedule, job.name }
    end, periodic)
  end
  return reply
end
