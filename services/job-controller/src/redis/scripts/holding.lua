-- holding: what workers hold, and how a job ends.

-- Refuses a worker that is not known any more, that a newer process of its id has replaced, or that has a newer stream.
local function check_worker(worker, incarnation, session)
  local known = redis.call("HGET", workers, worker)
  if not known then refuse("LEASE_LOST", worker) end
  local newest, newest_session = string.match(known, "^(%S+) (%S+)")
  if newest ~= incarnation then refuse("WORKER_SUPERSEDED", worker) end
  if newest_session ~= session then refuse("LEASE_LOST", worker) end
end

-- Takes a RUNNING job from its worker; the caller moves it on.
local function let_go(id, job)
  redis.call("HDEL", prefix .. "held:" .. job[WORKER], id)
  job[COMMAND] = 0
  if job[LIMITED] == NO then return end
  job[LIMITED] = NO
  redis.call("ZREM", running_of(job[NAME]), job[FAIRNESS] .. " " .. id)
  -- others may have waited for that, in another shard perhaps, and no free slot tells of it
  ready_names[job[NAME]] = true
end

-- Does the work with a job that the worker holds. One that is not its own any more, or that cannot be dealt with, is off
-- its list then: a worker with one of those must be able to come and go.
local function with_held(id, worker, work)
  local is_held
  local done = attempt(id, function(_, job)
    is_held = job and job[STATUS] == RUNNING and job[WORKER] == worker
    if is_held then work(id, job) end
  end)
  if not done or not is_held then redis.call("HDEL", prefix .. "held:" .. worker, id) end
end

-- Of a periodic job; it is in executions.
local launch_waiting

local function finish(id, job, status)
  move(job, status)
  ended[job[NAME]] = (ended[job[NAME]] or 0) + 1
  job[ENDED], job[RUN_AT] = now, 0
  local place, entry = add_entry(ended_stream(status), id)
  job[END_PLACE] = place
  if entry then job[END_ENTRY] = entry end
  if job[UNIQUE] ~= "" and redis.call("HGET", prefix .. "unique", job[UNIQUE]) == id then
    redis.call("HDEL", prefix .. "unique", job[UNIQUE])
  end
  if job[POLICY] and job[POLICY][5] > 0 then redis.call("ZREM", prefix .. "expiring", id) end
  if job[KIND] == PERIODIC then end_plan(id) end
  if job[UPSTREAM] ~= "" then launch_waiting(job[UPSTREAM]) end
end

-- Lets end-sub-jobs pass a stop or cancel on to the jobs that this one launched. A stop is stronger than a cancel.
local function pass_on(id, job, command)
  if job[PARENT] == NO then return end
  local open = redis.call("HGET", prefix .. "ending", id)
  if not open or tonumber(string.sub(open, 1, 1)) > command then
    redis.call("HSET", prefix .. "ending", id, command .. ":-")
  end
end
