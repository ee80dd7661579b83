-- losses: with which workers a job was lost, and whether it is taken for the cause.
-- needs: call/context, lease/able, life/barred
-- gives: note
-- reads: refused

-- So many losses make a job the cause, and so many workers whatever others there are.
local CAUSE = 3
-- The record has a byte for them.
local MOST = 255

local function lost_workers(id)
  local count = 0
  for _, who in ipairs(redis.call("HKEYS", barred.key_of(id))) do
    if who == barred.as_worker(string.match(who, "^%S*")) then count = count + 1 end
  end
  return count
end

-- Notes that the job's worker was lost; whether the job is taken for the cause. A worker may die of itself, again and again: so while
-- there is another one that could do the job and was not lost with it, that one is to have it, and the job does not end before. If there
-- is none, it may be about to come back: only the first time a lone worker gets the job again at once.
local function note(id, job)
  local who = barred.as_worker(job.worker)
  local is_for_another = able.is_any(job.name, function(worker)
    return worker ~= job.worker and not barred.knows(id, barred.as_worker(worker))
  end)
  local wait, is_barred = barred.next_wait(id, who), is_for_another or barred.knows(id, who)
  barred.put(id, who, context.now + (is_barred and wait or 0), wait)
  job.crashes = math.min(job.crashes + 1, MOST)
  return job.crashes >= CAUSE and (not is_for_another or lost_workers(id) >= CAUSE)
end

return { note = note }
