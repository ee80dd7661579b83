-- sessions: which process and which stream of a worker id is the present one.
-- needs: call/context
-- gives: workers, check, is_current, process_of
-- reads: workers
local workers = context.prefix .. "workers"

-- Refuses with LEASE_LOST or WORKER_SUPERSEDED a worker that is not known any more, that a newer process of its id has
-- replaced, or that has a newer stream.
local function check(worker, incarnation, session)
  local known = redis.call("HGET", workers, worker)
  if not known then context.refuse("LEASE_LOST", worker) end
  local newest, newest_session = string.match(known, "^(%S+) (%S+)")
  if newest ~= incarnation then context.refuse("WORKER_SUPERSEDED", worker) end
  if newest_session ~= session then context.refuse("LEASE_LOST", worker) end
end

local function is_current(worker, session)
  local known = redis.call("HGET", workers, worker)
  return known and string.match(known, "^%S+ (%S+)") == session
end

-- The incarnation and the generation of a worker's entry.
local function process_of(entry)
  local incarnation, generation = string.match(entry, "^(%S+) %S+ (%d+)")
  return incarnation, tonumber(generation)
end

return { workers = workers, check = check, is_current = is_current, process_of = process_of }
