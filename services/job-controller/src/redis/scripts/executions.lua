-- executions: the jobs that a periodic job launches, and the one that waits until the one before has ended.

local function alive(id)
  local totals = redis.call("HMGET", prefix .. "sub-job-totals:" .. id, SCHEDULED, PENDING, RUNNING)
  return tonumber(totals[1] or 0) + tonumber(totals[2] or 0) + tonumber(totals[3] or 0)
end

local function count_fired(id, what, by)
  redis.call("HINCRBY", prefix .. "schedule:" .. id, what, by)
end

-- It is in the transition of that name.
local launch

-- Launches one; the caller stores the periodic job.
local function launch_execution(id, job, new_id, run_at)
  local options = { priority = job[PRIORITY], fairness = job[FAIRNESS], kind = 2, run_at = run_at, unique = "",
    request = "", policy = job[POLICY], labels = job[LABELS], schedule = "",
    hook = job[HOOK] }
  launch(new_id, job[NAME], job[TRACE], parameters_of(job), id, options, "", "")
  add_sub_job(id, new_id)
  job[PARENT] = YES
  count_fired(id, "launched", 1)
end

-- Lets one wait; false when another one does.
local function wait_for_end(id, new_id, run_at)
  return redis.call("HSETNX", prefix .. "schedule:" .. id, "waiting", string.format("%s %.0f", new_id, run_at)) == 1
end

local function is_one_waiting(id)
  return redis.call("HEXISTS", prefix .. "schedule:" .. id, "waiting") == 1
end

local function leave_out_waiting(id)
  if redis.call("HDEL", prefix .. "schedule:" .. id, "waiting") == 1 then count_fired(id, "skipped", 1) end
end

-- A job has ended: launches what waited for that, in the same script, so that no crash comes between. After its last
-- launch the periodic job is over.
launch_waiting = function(id)
  local waiting = redis.call("HGET", prefix .. "schedule:" .. id, "waiting")
  if not waiting or alive(id) > 0 then return end
  local new_id, run_at = string.match(waiting, "^(%S+) (%d+)$")
  -- a fault of the periodic job must not keep the other one from ending
  attempt(id, function(_, job)
    if not job then return end
    redis.call("HDEL", prefix .. "schedule:" .. id, "waiting")
    -- another controller may have made the same id meanwhile
    if is_known(new_id) then count_fired(id, "skipped", 1) else launch_execution(id, job, new_id, tonumber(run_at)) end
    if job[RUN_AT] == 0 then finish(id, job, STOPPED) end
    save(id, job)
  end)
end
