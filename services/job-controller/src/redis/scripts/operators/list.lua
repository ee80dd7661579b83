-- list: a page of jobs from an index stream, the newest first.
-- needs: call/context, call/isolate, record/shown, record/store
-- reads: index, ended, sub-jobs
-- arguments: the stream (index, ended:STATUS, sub-jobs:ID), the entry before which to begin or empty, how many entries
-- reply: the last entry seen or empty at the end, then for each job its entry and the job
-- when memory is full: refused
return function(stream, before, limit)
  local last = before == "" and "+" or "(" .. before
  local entries = redis.call("XREVRANGE", context.prefix .. stream, last, "-", "COUNT", limit)
  local reply = { #entries == tonumber(limit) and entries[#entries][1] or "" }
  local ids, place = {}, nil
  for at, entry in ipairs(entries) do ids[at] = entry[2][2] end
  if #ids > 0 then store.fetch(ids) end
  local function show(id, job)
    if job then reply[#reply + 1] = { place, shown.job(id, job) } end
  end
  for at, id in ipairs(ids) do
    place = entries[at][1]
    isolate.job(id, show)
  end
  return reply
end
