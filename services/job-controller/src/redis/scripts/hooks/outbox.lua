-- outbox: the events that a job's status hook has not been sent yet; they are written together with the change itself.
-- needs: call/context, record/hook-statuses, hooks/hosts, hooks/state
-- gives: MOST_EVENTS, fail, tell
-- writes: hook-events, hook-failed

-- An event is JSON: sequence, status, check-in, time, and whether a check-in alone is new (0 or 1). The oldest events beyond
-- MOST_EVENTS have failed, and the oldest failed ones go.
local MOST_EVENTS = 1000

local function fail(id, events)
  if #events == 0 then return end
  redis.call("RPUSH", state.failures_of(id), unpack(events))
  redis.call("LTRIM", state.failures_of(id), -MOST_EVENTS, -1)
end

-- Adds an event; what is "status" or "check-in". A check-in replaces one that waits last; the first in the list may be in
-- flight and stays as it is.
local function tell(id, job, what)
  local only_check_in = what == "check-in" and 1 or 0
  local event = cjson.encode({ job.revision, job.status, job.check_in, context.now, only_check_in })
  if job.hook_status == hook_statuses.GONE then return fail(id, { event }) end
  local events = state.events_of(id)
  local last = only_check_in == 1 and redis.call("LLEN", events) > 1 and redis.call("LINDEX", events, -1)
  if last and cjson.decode(last)[5] == 1 then
    redis.call("LSET", events, -1, event)
  elseif redis.call("RPUSH", events, event) > MOST_EVENTS then
    fail(id, { redis.call("LPOP", events) })
  end
  hosts.try_at(hosts.of(job), id, context.now, "NX")
  state.note(id, job)
end

return { MOST_EVENTS = MOST_EVENTS, fail = fail, tell = tell }
