-- patience: how long a job has been put off without using an attempt.
-- needs: call/context
-- needs at times: life/barred
-- gives: begin, is_over, clear

-- The patience begins with the first run that is put off.
local function begin(job)
  if job.postponed_since == 0 then job.postponed_since = context.now end
end

-- Whether it has lasted longer than that many ms; -1 is without end.
local function is_over(job, limit)
  return limit >= 0 and context.now - job.postponed_since > limit
end

-- A run has ended in another way: what was remembered of those that were put off or lost goes.
local function clear(id, job)
  if job.postponed_since == 0 and job.crashes == 0 then return end
  job.postponed_since = 0
  modules["life/barred"].forget(id)
end

return { begin = begin, is_over = is_over, clear = clear }
