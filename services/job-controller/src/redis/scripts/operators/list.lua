-- list: a page of jobs from an index stream, the newest first. It may end before the limit, by the bytes that were read.
-- needs: call/context, record/page
-- reads: index, ended, sub-jobs
-- arguments: the stream (index, ended:STATUS, sub-jobs:ID), the entry before which to begin or empty, how many entries,
--   1 with the parameters or 0 without
-- reply: the last entry seen or empty at the end, then for each job its entry and the job
-- when memory is full: refused
return function(stream, before, limit, with_parameters)
  local last = before == "" and "+" or "(" .. before
  local entries = redis.call("XREVRANGE", context.prefix .. stream, last, "-", "COUNT", limit)
  local ids, reply = {}, { "" }
  for at, entry in ipairs(entries) do ids[at] = entry[2][2] end
  local seen = page.show(ids, with_parameters, function(job, at) reply[#reply + 1] = { entries[at][1], job } end)
  if seen < #entries or seen == tonumber(limit) then reply[1] = entries[seen][1] end
  return reply
end
