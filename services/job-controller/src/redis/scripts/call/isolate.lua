-- isolate: keeps the fault of one job, such as a record that cannot be read, from the other jobs of an operation on many.
-- needs: call/context, call/totals, record/store
-- gives: job, note, faults
-- writes: scheduled, expiring, periodic, hook-due
local isolate = {}
-- Delay before a job whose fault is isolated is tried again, if it stands in a set of times.
local TRY_AGAIN_MS = 3600000
-- Lists of a job's id and the cause, which the controller logs.
isolate.faults = {}

function isolate.note(id, fault)
  isolate.faults[#isolate.faults + 1] = { id, type(fault) == "table" and fault.err or fault }
end

-- Runs work(id, job), with job nil when it is gone; returns whether that went well. If not, its records and totals are taken
-- back, and in the set of times, where one is given, the job is put off.
function isolate.job(id, work, times)
  local outer, name, copy = store.begin(), nil, nil
  local done, fault = xpcall(function()
    local job = store.find(id)
    if job then
      -- reads the details before anything is written
      assert(job.check_in)
      name = job.name
      copy = totals.copy(name)
    end
    work(id, job)
  end, context.caught)
  if done then
    store.merge(outer)
    return true
  end
  store.roll_back(outer)
  if name then totals.restore(name, copy) end
  isolate.note(id, fault)
  if times then redis.call("ZADD", times, context.now + TRY_AGAIN_MS, id) end
  return false
end

return isolate
