-- attempt: one job of the many that an operation sees to. A fault of one, such as a record that cannot be read, must not keep
-- the others waiting for ever.
-- What failed: lists of the job's id and the fault, which dispatch adds to its replies.
local faults = {}
-- So much later a job is tried again that stands in a set of times.
local TRY_AGAIN_MS = 3600000

-- Does the work with the job, nil when it is gone; whether that went well. If not, what was written of records and counted
-- of its type is taken back, and in the set of times, where one is given, the job stands to be tried again.
local function attempt(id, work, times)
  local before, name, counted = records_before, nil, nil
  records_before = {}
  local done, fault = pcall(function()
    local job = find(id)
    if job then
      -- the details are read before anything is written
      assert(job[CHECK_IN])
      name = job[NAME]
      counted = changes[name] and { unpack(changes[name]) }
    end
    work(id, job)
  end)
  if done then
    for changed, record in pairs(records_before) do
      if before[changed] == nil then before[changed] = record end
    end
  else
    take_back_records()
    if name then changes[name] = counted end
    faults[#faults + 1], refusal = { id, tostring(fault) }, nil
    if times then redis.call("ZADD", times, now + TRY_AGAIN_MS, id) end
  end
  records_before = before
  return done
end
