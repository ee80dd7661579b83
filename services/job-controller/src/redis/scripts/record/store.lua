-- store: reads records, and writes all records of a call with one command at its end, which costs far less than one for each.
-- The totals follow from what is written, so that they agree with the records whatever failed in between.
-- needs: call/context, call/undo, call/totals, record/record
-- gives: fetch, find, load, is_known, put, remove
-- reads: jobs
-- writes: jobs

local jobs, MOST_IN_COMMAND = KEYS[1], 1000
-- by job id: the record as Redis has it, or false, once it was read; the record that is to be written; the job's type
local fetched, written, names = {}, {}, {}

-- Reads the records of many jobs with one command and returns them; an id that is no job's does no harm.
local function fetch(ids)
  local found = redis.call("HMGET", jobs, unpack(ids))
  for at, id in ipairs(ids) do fetched[id] = found[at] end
  return found
end

local function stored(id)
  local bytes = fetched[id]
  if bytes == nil then
    bytes = redis.call("HGET", jobs, id)
    fetched[id] = bytes
  end
  return bytes
end

local function find(id)
  local bytes = written[id] or stored(id)
  return bytes and record.decode(id, bytes)
end

local function load(id)
  return find(id) or context.refuse("JOB_NOT_FOUND", id)
end

local function is_known(id)
  return written[id] ~= nil or stored(id) ~= false
end

-- Stores the job as it is. Changes that watchers are to see go through moves.save.
local function put(id, job)
  names[id] = job.name
  undo.set(written, id, record.encode(job))
end

local function remove(id, job)
  if stored(id) then totals.add(job.name, record.status_of(stored(id)), -1) end
  written[id], fetched[id] = nil, false
  redis.call("HDEL", jobs, id)
end

local function write()
  local part, size = {}, 0
  for id, bytes in pairs(written) do
    part[size + 1], part[size + 2], size = id, bytes, size + 2
    local before, now = fetched[id] and record.status_of(fetched[id]), record.status_of(bytes)
    if before and before ~= now then totals.add(names[id], before, -1) end
    if before ~= now then totals.add(names[id], now, 1) end
    if size == MOST_IN_COMMAND then
      redis.call("HSET", jobs, unpack(part))
      part, size = {}, 0
    end
  end
  if size > 0 then redis.call("HSET", jobs, unpack(part)) end
end

context.at_end[#context.at_end + 1] = write

return { fetch = fetch, find = find, load = load, is_known = is_known, put = put, remove = remove }
