-- executions: the jobs that a periodic job launches, and the one that waits until the job before has ended.
-- needs: call/context, call/isolate, record/statuses, record/kinds, record/tables, record/trace, record/store, life/moves, life/final,
--   life/launch, life/children
-- gives: launch, count, wait_for_end, is_one_waiting, leave_out_waiting, launch_waiting
-- reads: schedule
-- writes: schedule

local function schedule_of(id)
  return context.prefix .. "schedule:" .. id
end

-- Counts what became of the times of a periodic job: launched, missed or skipped.
local function count(id, what, by)
  redis.call("HINCRBY", schedule_of(id), what, by)
end

-- Launches one, to run at run_at for the time scheduled_for, with a unique key and how that stands in another shard, if it has
-- one; the caller stores the periodic job.
local function launch_execution(id, job, new_id, run_at, scheduled_for, unique, hold, by)
  local options = { priority = job.priority, fairness = job.fairness, kind = kinds.SCHEDULED, run_at = run_at,
    unique = unique or "", request = "", policy = job.policy, labels = job.labels, schedule = "", hook = job.hook,
    scheduled_for = scheduled_for }
  local parameters = tables.parameters_of(job)
  launch.job(new_id, job.name, trace.to_text(job.trace), parameters, id, options, hold or "", by or "")
  children.add(id, new_id)
  job.parent = 1
  count(id, "launched", 1)
end

-- Notes a launch that waits for the end of the job before; false when one waits already.
local function wait_for_end(id, new_id, run_at, scheduled_for)
  local waiting = string.format("%s %.0f %.0f", new_id, run_at, scheduled_for)
  return redis.call("HSETNX", schedule_of(id), "waiting", waiting) == 1
end

local function is_one_waiting(id)
  return redis.call("HEXISTS", schedule_of(id), "waiting") == 1
end

local function leave_out_waiting(id)
  if redis.call("HDEL", schedule_of(id), "waiting") == 1 then count(id, "skipped", 1) end
end

-- A child of the periodic job has ended: launches the job that waited for that end. After its last launch the periodic job is over. The periodic
-- job's own fault must not keep its child from ending.
local function launch_waiting(id)
  local waiting = redis.call("HGET", schedule_of(id), "waiting")
  if not waiting or children.alive(id) > 0 then return end
  local new_id, run_at, scheduled_for = string.match(waiting, "^(%S+) (%d+) (%d+)$")
  isolate.job(id, function(_, job)
    if not job then return end
    redis.call("HDEL", schedule_of(id), "waiting")
    if store.is_known(new_id) then
      -- another controller has made the same id meanwhile
      count(id, "skipped", 1)
    else
      launch_execution(id, job, new_id, tonumber(run_at), tonumber(scheduled_for))
    end
    -- no nested end can be waited for: a periodic job is never launched by another one
    if job.status_time == 0 then final.enter(id, job, statuses.STOPPED) end
    moves.save(id, job)
  end)
end

return { launch = launch_execution, count = count, wait_for_end = wait_for_end,
  is_one_waiting = is_one_waiting, leave_out_waiting = leave_out_waiting,
  launch_waiting = launch_waiting }
