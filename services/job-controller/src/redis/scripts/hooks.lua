-- hooks: what a job's status hook is still to be told; it is written together with the change itself.
-- An event is JSON: sequence, status, check-in, time, and whether a check-in alone is new (0 or 1).
local HOOK_PENDING, HOOK_DELIVERED, HOOK_FAILED, HOOK_GONE = 1, 2, 3, 4
-- So many events of a job are kept; beyond that the oldest ones have failed, and the oldest failed ones go.
local MOST_EVENTS = 1000

local function hook_events(id)
  return prefix .. "hook-events:" .. id
end

local function hook_failures(id)
  return prefix .. "hook-failed:" .. id
end

-- Lets the job's next event be tried at that time; the controllers are told when that is the next one.
local function hook_at(id, at, mode)
  local set = redis.call("ZADD", prefix .. "hook-due", mode, "CH", at, id)
  if set == 1 and (not earliest_hook or at < earliest_hook) then earliest_hook = at end
end

local function fail_events(id, events)
  if #events == 0 then return end
  redis.call("RPUSH", hook_failures(id), unpack(events))
  redis.call("LTRIM", hook_failures(id), -MOST_EVENTS, -1)
end

-- Sets how the hook stands; those that need somebody's care are listed. The caller stores the job.
local function set_hook(id, job, status)
  local needs_care = status == HOOK_FAILED or status == HOOK_GONE
  local needed_care = job[HOOK_STATUS] == HOOK_FAILED or job[HOOK_STATUS] == HOOK_GONE
  job[HOOK_STATUS] = status
  if needs_care and not needed_care then redis.call("ZADD", prefix .. "hook-failing", 0, id) end
  if needed_care and not needs_care then redis.call("ZREM", prefix .. "hook-failing", id) end
end

-- Notes how the hook stands, unless it is gone.
local function note_hook(id, job)
  if job[HOOK_STATUS] == HOOK_GONE then return end
  if redis.call("EXISTS", hook_failures(id)) == 1 then return set_hook(id, job, HOOK_FAILED) end
  set_hook(id, job, redis.call("EXISTS", hook_events(id)) == 1 and HOOK_PENDING or HOOK_DELIVERED)
end

-- A check-in takes the place of one that waits; the first in the list may be under way and stays as it is.
tell_hook = function(id, job, what)
  news[job] = nil
  local only_check_in = what == "check-in" and 1 or 0
  local event = cjson.encode({ job[REVISION], job[STATUS], job[CHECK_IN], now, only_check_in })
  if job[HOOK_STATUS] == HOOK_GONE then return fail_events(id, { event }) end
  local events = hook_events(id)
  local last = only_check_in == 1 and redis.call("LLEN", events) > 1 and redis.call("LINDEX", events, -1)
  if last and cjson.decode(last)[5] == 1 then
    redis.call("LSET", events, -1, event)
  elseif redis.call("RPUSH", events, event) > MOST_EVENTS then
    fail_events(id, { redis.call("LPOP", events) })
  end
  hook_at(id, now, "NX")
  note_hook(id, job)
end
