-- store: reads records, and writes all records of a call with one command at its end, which costs far less than one for each.
-- needs: call/context, record/record
-- gives: find, load, is_known, put, remove, begin, merge, roll_back, write
-- reads: jobs
-- writes: jobs
local store = {}
local jobs = KEYS[1]
local MOST_IN_COMMAND = 1000
-- by job id: what is written at the end
local records = {}
-- by job id: the record before the running operation changed it, or false, to roll back when it fails
local before = {}

function store.find(id)
  local bytes = records[id] or redis.call("HGET", jobs, id)
  return bytes and record.decode(id, bytes)
end

function store.load(id)
  return store.find(id) or context.refuse("JOB_NOT_FOUND", id)
end

function store.is_known(id)
  return records[id] ~= nil or redis.call("HEXISTS", jobs, id) == 1
end

-- Stores the job as it is. Changes that watchers are to see go through moves.save.
function store.put(id, job)
  if before[id] == nil then before[id] = records[id] or false end
  records[id] = record.encode(job)
end

function store.remove(id)
  records[id] = nil
  redis.call("HDEL", jobs, id)
end

-- Begins an operation, or a part of one that may fail alone; returns what merge and roll_back need of the part around it.
function store.begin()
  local outer = before
  before = {}
  return outer
end

function store.merge(outer)
  for id, bytes in pairs(before) do
    if outer[id] == nil then outer[id] = bytes end
  end
  before = outer
end

function store.roll_back(outer)
  for id, bytes in pairs(before) do records[id] = bytes or nil end
  before = outer
end

function store.write()
  local arguments = {}
  for id, bytes in pairs(records) do
    arguments[#arguments + 1], arguments[#arguments + 2] = id, bytes
    if #arguments == MOST_IN_COMMAND then
      redis.call("HSET", jobs, unpack(arguments))
      arguments = {}
    end
  end
  if #arguments > 0 then redis.call("HSET", jobs, unpack(arguments)) end
end

return store
