-- isolate: keeps the fault of one job, such as a record that cannot be read, from the other jobs of an operation on many.
-- needs: call/context, call/undo, call/totals, record/store
-- gives: job, note
-- writes: scheduled, expiring, periodic, hook-due
-- Delay before a job whose fault is isolated is tried again, if it stands in a set of times.
local TRY_AGAIN_MS = 3600000
local function note(id, fault)
  context.faults[#context.faults + 1] = { id, type(fault) == "table" and fault.err or fault }
end

-- Runs work(id, job), with job nil when it is gone; returns whether that went well. If not, its records and totals are taken
-- back, and in the set of times, where one is given, the job is put off.
local function isolate_job(id, work, times)
  local state, name, copy = undo.mark(), nil, nil
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
  if done then return true end
  undo.back_to(state)
  if name then totals.restore(name, copy) end
  note(id, fault)
  if times then redis.call("ZADD", times, context.now + TRY_AGAIN_MS, id) end
  return false
end

return { job = isolate_job, note = note }
