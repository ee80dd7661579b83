-- list-running: the jobs that workers hold, the newest first. They are few: as many as there are slots at most. The page may end
-- before the limit, by the bytes that were read.
-- needs: call/context, record/page, lease/held
-- reads: leases, held
-- arguments: the id before which to begin or empty, how many at most, 1 with the parameters or 0 without
-- reply: the last id seen or empty at the end, then the jobs
-- when memory is full: refused
return function(before, limit, with_parameters)
  local ids, newest, reply = {}, {}, { "" }
  for _, worker in ipairs(redis.call("ZRANGE", context.prefix .. "leases", 0, -1)) do
    for _, id in ipairs(redis.call("HKEYS", held.key_of(worker))) do
      if before == "" or id < before then ids[#ids + 1] = id end
    end
  end
  table.sort(ids, function(a, b) return a > b end)
  for at = 1, math.min(#ids, tonumber(limit)) do newest[at] = ids[at] end
  local seen = page.show(newest, with_parameters, function(job) reply[#reply + 1] = job end)
  if seen < #ids then reply[1] = ids[seen] end
  return reply
end
