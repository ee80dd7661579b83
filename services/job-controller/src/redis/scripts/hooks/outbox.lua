-- outbox: what a job's status hook is still to be told; it is written together with the change itself.
-- needs: call/context, call/signals, record/hook-statuses
-- gives: MOST_EVENTS, events_of, failures_of, try_at, fail, set, note, tell
-- reads: hook-events, hook-failed
-- writes: hook-due, hook-events, hook-failed, hook-failing

-- An event is JSON: sequence, status, check-in, time, and whether a check-in alone is new (0 or 1). The oldest events beyond
-- MOST_EVENTS have failed, and the oldest failed ones go.
local MOST_EVENTS = 1000
local prefix = context.prefix

local function events_of(id)
  return prefix .. "hook-events:" .. id
end

local function failures_of(id)
  return prefix .. "hook-failed:" .. id
end

-- Lets the job's next event be tried at that time; mode is a flag of ZADD.
local function try_at(id, at, mode)
  if redis.call("ZADD", prefix .. "hook-due", mode, "CH", at, id) == 1 then signals.hook(at) end
end

local function fail(id, events)
  if #events == 0 then return end
  redis.call("RPUSH", failures_of(id), unpack(events))
  redis.call("LTRIM", failures_of(id), -MOST_EVENTS, -1)
end

-- Sets how the hook stands; those that need somebody's care are listed. The caller stores the job.
local function set(id, job, to)
  local needs_care = to == hook_statuses.FAILED or to == hook_statuses.GONE
  local needed_care = job.hook_status == hook_statuses.FAILED or job.hook_status == hook_statuses.GONE
  job.hook_status = to
  if needs_care and not needed_care then redis.call("ZADD", prefix .. "hook-failing", 0, id) end
  if needed_care and not needs_care then redis.call("ZREM", prefix .. "hook-failing", id) end
end

-- Sets how the hook stands by its events, unless it is gone.
local function note(id, job)
  if job.hook_status == hook_statuses.GONE then return end
  if redis.call("EXISTS", failures_of(id)) == 1 then return set(id, job, hook_statuses.FAILED) end
  local waits = redis.call("EXISTS", events_of(id)) == 1
  set(id, job, waits and hook_statuses.PENDING or hook_statuses.DELIVERED)
end

-- Adds an event; what is "status" or "check-in". A check-in takes the place of one that waits last; the first in the list may
-- be under way and stays as it is.
local function tell(id, job, what)
  local only_check_in = what == "check-in" and 1 or 0
  local event = cjson.encode({ job.revision, job.status, job.check_in, context.now, only_check_in })
  if job.hook_status == hook_statuses.GONE then return fail(id, { event }) end
  local events = events_of(id)
  local last = only_check_in == 1 and redis.call("LLEN", events) > 1 and redis.call("LINDEX", events, -1)
  if last and cjson.decode(last)[5] == 1 then
    redis.call("LSET", events, -1, event)
  elseif redis.call("RPUSH", events, event) > MOST_EVENTS then
    fail(id, { redis.call("LPOP", events) })
  end
  try_at(id, context.now, "NX")
  note(id, job)
end

return { MOST_EVENTS = MOST_EVENTS, events_of = events_of, failures_of = failures_of, try_at = try_at,
  fail = fail, set = set, note = note, tell = tell }
