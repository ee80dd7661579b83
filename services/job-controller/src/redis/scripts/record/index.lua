-- index: streams of job ids in the order of their time, for lists and for the keep time.
-- needs: call/context
-- gives: jobs, add, entry_of, ended
-- writes: index, ended

-- The id of an entry is the job's own time and its sequence number within that millisecond, both of which the job keeps. A
-- controller whose clock is behind takes the newest time that the stream has seen; then the job keeps the whole id.
local next_entry = context.number_text(context.now) .. "-*"
local NO_SEQUENCE = 65535
-- the stream of all jobs
local jobs = context.prefix .. "index"
local ended_streams = {}

local function newest_time(stream)
  local info = redis.pcall("XINFO", "STREAM", stream)
  for at = 1, #info, 2 do
    if info[at] == "last-generated-id" then return string.match(info[at + 1], "^%d+") end
  end
end

-- Adds the id at the present time; returns the sequence number of the entry, or NO_SEQUENCE and the whole id.
local function add(stream, id)
  local added = redis.pcall("XADD", stream, next_entry, "id", id)
  if type(added) == "table" then
    local newest = newest_time(stream) or error(added.err)
    return NO_SEQUENCE, redis.call("XADD", stream, newest .. "-*", "id", id)
  end
  local sequence = tonumber(string.sub(added, #next_entry))
  if sequence < NO_SEQUENCE then return sequence end
  return NO_SEQUENCE, added
end

-- The id of an entry from what the job keeps of it.
local function entry_of(at, sequence, entry)
  return sequence == NO_SEQUENCE and entry or string.format("%.0f-%.0f", at, sequence)
end

-- The stream of the jobs in a final status.
local function ended(status)
  local stream = ended_streams[status]
  if not stream then
    stream = context.prefix .. "ended:" .. status
    ended_streams[status] = stream
  end
  return stream
end

return { jobs = jobs, add = add, entry_of = entry_of, ended = ended }
