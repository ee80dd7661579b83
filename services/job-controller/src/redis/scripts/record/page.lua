-- page: a part of a list of jobs. It ends by the bytes of the records that are read, since one has up to 256 KiB of parameters;
-- they are read a few at a time, so that Redis never has a page of large ones in memory.
-- needs: call/isolate, record/shown, record/store
-- gives: show
local MOST_BYTES, IDS_AT_ONCE = 2 * 1024 * 1024, 8

-- Calls add(job as replies show it, position of its id) for each job that there is; returns how many ids were looked at.
local function show(ids, with_parameters, add)
  local looked_at, bytes = 0, 0
  local function show_job(id, job)
    if job then add(shown.job(id, job, with_parameters == "1"), looked_at) end
  end
  while looked_at < #ids and bytes < MOST_BYTES do
    local part = { unpack(ids, looked_at + 1, math.min(looked_at + IDS_AT_ONCE, #ids)) }
    for _, record in ipairs(store.fetch(part)) do bytes = bytes + #(record or "") end
    for _, id in ipairs(part) do
      looked_at = looked_at + 1
      isolate.job(id, show_job)
    end
  end
  return looked_at
end

return { show = show }
