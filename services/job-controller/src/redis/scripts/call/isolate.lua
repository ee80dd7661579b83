-- isolate: keeps the fault of one job, such as a record that cannot be read, from the other jobs of an operation on many.
-- needs: call/context, call/undo, record/store
-- gives: job, note
-- writes: scheduled, expiring, periodic, hook-due

-- Delay before a job whose fault is isolated is tried again, if it stands in a set of times.
local TRY_AGAIN_MS = 3600000

-- Notes the fault for the log. Returns whether another version of the controller can deal with the job, so that it must stay
-- where it stands.
local function note(id, fault)
  local is_refusal = type(fault) == "table"
  context.faults[#context.faults + 1] = { id, is_refusal and fault.err or fault }
  return is_refusal and fault.reason == "RECORD_VERSION_UNKNOWN"
end

-- Runs work(id, job), with job nil when it is gone; returns whether that went well, and if not, what note returns. What the
-- work changed of records and totals is taken back then, and in the set of times, where one is given, the job is put off.
local function isolate_job(id, work, times)
  local state = undo.mark()
  local done, fault = xpcall(function()
    local job = store.find(id)
    -- reads the details before anything is written
    if job then assert(job.check_in) end
    work(id, job)
  end, context.caught)
  if done then return true end
  undo.back_to(state)
  if times then redis.call("ZADD", times, context.now + TRY_AGAIN_MS, id) end
  return false, note(id, fault)
end

return { job = isolate_job, note = note }
