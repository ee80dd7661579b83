-- store: reads records, and writes all records of a call with one command at its end, which costs far less than one for each.
-- needs: call/context, call/undo, record/record
-- gives: fetch, find, load, is_known, put, remove
-- reads: jobs
-- writes: jobs
local jobs, MOST_IN_COMMAND = KEYS[1], 1000
-- by job id: the record as Redis has it, or false, once it was read; the record that is to be written
local fetched, written = {}, {}

-- Reads the records of many jobs with one command; an id that is no job's does no harm.
local function fetch(ids)
  local found = redis.call("HMGET", jobs, unpack(ids))
  for at, id in ipairs(ids) do fetched[id] = found[at] end
end

local function find(id)
  local bytes = written[id]
  if not bytes then
    bytes = fetched[id]
    if bytes == nil then
      bytes = redis.call("HGET", jobs, id)
      fetched[id] = bytes
    end
  end
  return bytes and record.decode(id, bytes)
end

local function load(id)
  return find(id) or context.refuse("JOB_NOT_FOUND", id)
end

local function is_known(id)
  if written[id] or fetched[id] then return true end
  return fetched[id] == nil and redis.call("HEXISTS", jobs, id) == 1
end

-- Stores the job as it is. Changes that watchers are to see go through moves.save.
local function put(id, job)
  undo.set(written, id, record.encode(job))
end

local function remove(id)
  written[id], fetched[id] = nil, false
  redis.call("HDEL", jobs, id)
end

-- at the end of the call
local function write()
  local arguments = {}
  for id, bytes in pairs(written) do
    arguments[#arguments + 1], arguments[#arguments + 2] = id, bytes
    if #arguments == MOST_IN_COMMAND then
      redis.call("HSET", jobs, unpack(arguments))
      arguments = {}
    end
  end
  if #arguments > 0 then redis.call("HSET", jobs, unpack(arguments)) end
end

context.at_end[#context.at_end + 1] = write

return { fetch = fetch, find = find, load = load, is_known = is_known, put = put, remove = remove }
