-- sessions: which process and which stream of a worker id is the present one.
-- needs: call/context
-- gives: entry_of, put, forget, check, is_current, is_process, process_of
-- reads: workers
-- writes: workers
local workers = context.prefix .. "workers"

-- by worker: its entry or false, and the process that a comparison has found to be its own
local entries, processes = {}, {}

-- The entry of a worker, read once in a call; false when it is not known.
local function entry_of(worker)
  local entry = entries[worker]
  if entry == nil then
    entry = redis.call("HGET", workers, worker)
    entries[worker] = entry
  end
  return entry
end

local function put(worker, entry)
  redis.call("HSET", workers, worker, entry)
  entries[worker], processes[worker] = entry, nil
end

local function forget(worker)
  redis.call("HDEL", workers, worker)
  entries[worker], processes[worker] = false, nil
end

-- Refuses with LEASE_LOST or WORKER_SUPERSEDED a worker that is not known any more, that a newer process of its id has
-- replaced, or that has a newer stream.
local function check(worker, incarnation, session)
  local known = entry_of(worker)
  if not known then context.refuse("LEASE_LOST", worker) end
  local newest, newest_session = string.match(known, "^(%S+) (%S+)")
  if newest ~= incarnation then context.refuse("WORKER_SUPERSEDED", worker) end
  if newest_session ~= session then context.refuse("LEASE_LOST", worker) end
end

local function is_current(worker, session)
  local known = entry_of(worker)
  return known and string.match(known, "^%S+ (%S+)") == session
end

-- Whether the worker's present process is that one, of which no other one knows.
local function is_process(worker, incarnation)
  if processes[worker] == incarnation then return true end
  local known = entry_of(worker)
  if not known or string.match(known, "^%S+") ~= incarnation then return false end
  processes[worker] = incarnation
  return true
end

-- The incarnation and the generation of a worker's entry.
local function process_of(entry)
  local incarnation, generation = string.match(entry, "^(%S+) %S+ (%d+)")
  return incarnation, tonumber(generation)
end

return { entry_of = entry_of, put = put, forget = forget, check = check, is_current = is_current, is_process = is_process,
  process_of = process_of }
