-- due: what waits for its time.

-- Lets the wait for the first run end in time, from when the job could have run, if its launch limits it.
local function wait_for_first_run(id, job, from)
  local limit = job[POLICY] and job[POLICY][5] or 0
  if limit > 0 then redis.call("ZADD", prefix .. "expiring", from + limit, id) end
end

-- Lets a job wait for its time; the controllers are told when that is the next one.
local function postpone(id, job, at)
  job[RUN_AT] = at
  redis.call("ZADD", scheduled, at, id)
  if not earliest_due or at < earliest_due then earliest_due = at end
end

-- Lets a periodic job launch at that time.
local function plan(id, job, at)
  job[RUN_AT] = at
  redis.call("ZADD", prefix .. "periodic", at, id)
  if not earliest_due or at < earliest_due then earliest_due = at end
end

-- A periodic job is over.
local function end_plan(id)
  for _, set in ipairs({ "periodic", "schedules" }) do redis.call("ZREM", prefix .. set, id) end
end
