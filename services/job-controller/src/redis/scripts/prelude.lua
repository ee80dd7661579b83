-- prelude: the keys, and how an operation is refused. The controller joins the shared parts, the transitions and dispatch
-- to one script, so that the operations of one event-loop turn are one call.
-- KEYS: 1 jobs, 2 scheduled, 3 workers, 4 leases, 5 counts; the others begin with the same prefix and hash tag.
local jobs, scheduled, workers, leases, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local prefix = string.sub(jobs, 1, -5)
local now = tonumber(ARGV[1])

-- Filled by the operations, written once by dispatch: counts to change by job type and status, job types whose queue was
-- empty, earliest due, earliest time for a hook.
local transitions, changes, ready_names, earliest_due, earliest_hook = {}, {}, {}, nil, nil
-- How many jobs of a type this call launched and ended, for the rates of the queues.
local launched, ended = {}, {}

-- The refusal of the running operation; a variable, because Redis' pcall makes text of an error that is a table.
local refusal

-- An argument that is bytes: it is named by its place.
local function bytes_at(place)
  return ARGV[tonumber(place)]
end

local function refuse(reason, subject)
  refusal = { err = reason .. " " .. subject }
  error(reason)
end
