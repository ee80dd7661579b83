-- fire: launches the job of a periodic job's due time. Of all controllers that try, one succeeds.
-- arguments: periodic job, the time that is due, the new job's id, when it is to run or 0 to launch none,
--   the next time or 0 for the end, how many times were missed, how many alive let this one be left out (0 never)
-- reply: 1 when this call settled the time, 0 when another one had
local function alive(id)
  local totals = redis.call("HMGET", prefix .. "sub-job-totals:" .. id, SCHEDULED, PENDING, RUNNING)
  return tonumber(totals[1] or 0) + tonumber(totals[2] or 0) + tonumber(totals[3] or 0)
end

local function launch_execution(id, job, new_id, run_at)
  local options = { priority = job[PRIORITY], fairness = job[FAIRNESS], kind = 2, run_at = run_at, unique = "",
    request = "", policy = job[POLICY], labels = job[LABELS], schedule = "",
    hook = job[HOOK] }
  launch(new_id, job[NAME], job[TRACE], parameters_of(job), id, options, "", "")
  add_sub_job(id, new_id)
  job[PARENT] = YES
end

transitions.fire = function(id, due, new_id, run_at, next_at, missed, most_alive)
  local periodic, state = prefix .. "periodic", prefix .. "schedule:" .. id
  if tonumber(redis.call("ZSCORE", periodic, id) or -1) ~= tonumber(due) then return 0 end
  local job = load(id)
  most_alive, run_at, next_at = tonumber(most_alive), tonumber(run_at), tonumber(next_at)
  if tonumber(missed) > 0 then redis.call("HINCRBY", state, "missed", missed) end
  if run_at > 0 and most_alive > 0 and alive(id) >= most_alive then
    redis.call("HINCRBY", state, "skipped", 1)
  elseif run_at > 0 then
    launch_execution(id, job, new_id, run_at)
    redis.call("HINCRBY", state, "launched", 1)
  end
  if next_at > 0 then
    plan(id, job, next_at)
  else
    redis.call("ZREM", periodic, id)
    redis.call("ZREM", prefix .. "schedules", id)
    finish(id, job, STOPPED)
  end
  save(id, job)
  return 1
end
