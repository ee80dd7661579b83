-- state: where a job's hook stands, by the events that wait and the events that failed.
-- needs: call/context, record/hook-statuses
-- gives: events_of, failures_of, set, note, count_try, clear_tries
-- reads: hook-events, hook-failed
-- writes: hook-failing, hook-tries
local prefix = context.prefix

local function events_of(id)
  return prefix .. "hook-events:" .. id
end

local function failures_of(id)
  return prefix .. "hook-failed:" .. id
end

local function has_failed(job)
  return job.hook_status == hook_statuses.FAILED or job.hook_status == hook_statuses.GONE
end

-- Sets the hook's status; failed hooks are listed. The caller stores the job.
local function set(id, job, to)
  local failed_before = has_failed(job)
  job.hook_status = to
  if has_failed(job) == failed_before then return end
  if not failed_before then return redis.call("ZADD", prefix .. "hook-failing", 0, id) end
  if redis.call("HEXISTS", prefix .. "hook-tries", id) == 0 then redis.call("ZREM", prefix .. "hook-failing", id) end
end

-- Sets the hook's status by its events, unless the receiver is gone.
local function note(id, job)
  if job.hook_status == hook_statuses.GONE then return end
  if redis.call("EXISTS", failures_of(id)) == 1 then return set(id, job, hook_statuses.FAILED) end
  local waits = redis.call("EXISTS", events_of(id)) == 1
  set(id, job, waits and hook_statuses.PENDING or hook_statuses.DELIVERED)
end

-- Counts a failed try of the first event: its hook is listed from the first one on.
local function count_try(id)
  if redis.call("HINCRBY", prefix .. "hook-tries", id, 1) == 1 then redis.call("ZADD", prefix .. "hook-failing", 0, id) end
end

-- Forgets the tries of an event that is done, or that is to be tried anew.
local function clear_tries(id, job)
  local had_tries = redis.call("HDEL", prefix .. "hook-tries", id) == 1
  if had_tries and not has_failed(job) then redis.call("ZREM", prefix .. "hook-failing", id) end
end

return { events_of = events_of, failures_of = failures_of, set = set, note = note, count_try = count_try,
  clear_tries = clear_tries }
