-- list-running: the jobs that workers hold, the newest first. They are few: as many as there are slots at most.
-- needs: call/context, call/isolate, record/shown, lease/held
-- reads: leases, held
-- arguments: the id before which to begin or empty, how many at most
-- reply: the jobs
-- when memory is full: refused
return function(before, limit)
  local ids, reply = {}, {}
  for _, worker in ipairs(redis.call("ZRANGE", context.prefix .. "leases", 0, -1)) do
    for _, id in ipairs(redis.call("HKEYS", held.key_of(worker))) do
      if before == "" or id < before then ids[#ids + 1] = id end
    end
  end
  table.sort(ids, function(a, b) return a > b end)
  for at = 1, math.min(#ids, tonumber(limit)) do
    isolate.job(ids[at], function(id, job)
      if job then reply[#reply + 1] = shown.job(id, job) end
    end)
  end
  return reply
end
