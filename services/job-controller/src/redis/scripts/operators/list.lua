-- list: a page of jobs from an index stream, the newest first.
-- needs: call/context, call/isolate, record/shown
-- reads: index, ended, sub-jobs
-- arguments: the stream (index, ended:STATUS, sub-jobs:ID), the entry before which to begin or empty, how many entries
-- reply: the last entry seen or empty at the end, then for each job its entry and the job
-- when memory is full: refused
return function(stream, before, limit)
  local last = before == "" and "+" or "(" .. before
  local entries = redis.call("XREVRANGE", context.prefix .. stream, last, "-", "COUNT", limit)
  local reply = { #entries == tonumber(limit) and entries[#entries][1] or "" }
  for _, entry in ipairs(entries) do
    isolate.job(entry[2][2], function(id, job)
      if job then reply[#reply + 1] = { entry[1], shown.job(id, job) } end
    end)
  end
  return reply
end
