-- times: what waits for its time.
-- needs: call/context, call/signals, record/policy-parts
-- gives: postpone, back_off, plan, end_plan, limit_wait
-- writes: scheduled, periodic, schedules, expiring

-- Lets a job wait for its time; the caller stores it.
local function postpone(id, job, at)
  job.status_time = at
  redis.call("ZADD", context.prefix .. "scheduled", at, id)
  signals.due(at)
end

-- Lets a job wait for its next run, at least that long and not shorter than by the back-off: that of its launch, or else the one
-- given. The caller stores it.
local function back_off(id, job, least, base, cap, jitter)
  local own_base = job.policy and job.policy[policy_parts.BASE] or 0
  local own_cap = job.policy and job.policy[policy_parts.CAP] or 0
  base, cap = own_base > 0 and own_base or tonumber(base), own_cap > 0 and own_cap or tonumber(cap)
  local wait = math.floor(math.min(cap, base * 2 ^ (job.attempt - 1)) * jitter)
  postpone(id, job, context.now + math.max(wait, tonumber(least)))
end

-- Lets a periodic job launch at that time; the caller stores it.
local function plan(id, job, at)
  job.status_time = at
  redis.call("ZADD", context.prefix .. "periodic", at, id)
  signals.due(at)
end

-- A periodic job is over.
local function end_plan(id)
  redis.call("ZREM", context.prefix .. "periodic", id)
  redis.call("ZREM", context.prefix .. "schedules", id)
end

-- Lets the wait for the first run end in time, if its launch limits it, counted from when the job could have run.
local function limit_wait(id, job, from)
  local limit = job.policy and job.policy[policy_parts.QUEUE_LIMIT] or 0
  if limit > 0 then redis.call("ZADD", context.prefix .. "expiring", from + limit, id) end
end

return { postpone = postpone, back_off = back_off, plan = plan, end_plan = end_plan, limit_wait = limit_wait }
