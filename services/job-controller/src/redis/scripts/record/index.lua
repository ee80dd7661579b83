-- index: streams of job ids in the order of their time, for lists and for the keep time.
-- needs: call/context
-- gives: jobs, add, entry_of, ended
-- writes: index, ended

-- The id of an entry is the job's own time and its place among those of the same millisecond, both of which the job keeps. A
-- controller whose clock is behind takes the newest time that the stream has seen; then the job keeps the whole id.
local next_entry = context.number_text(context.now) .. "-*"
local NO_PLACE = 65535
-- the stream of all jobs
local jobs = context.prefix .. "index"
local ended_streams = {}

local function newest_time(stream)
  local info = redis.pcall("XINFO", "STREAM", stream)
  for at = 1, #info, 2 do
    if info[at] == "last-generated-id" then return string.match(info[at + 1], "^%d+") end
  end
end

-- Adds the id at the present time; returns the place of the entry, or none and the whole id of the entry.
local function add(stream, id)
  local added = redis.pcall("XADD", stream, next_entry, "id", id)
  if type(added) == "table" then
    local newest = newest_time(stream) or error(added.err)
    return NO_PLACE, redis.call("XADD", stream, newest .. "-*", "id", id)
  end
  local place = tonumber(string.sub(added, #next_entry))
  if place < NO_PLACE then return place end
  return NO_PLACE, added
end

-- The id of an entry from what the job keeps of it.
local function entry_of(at, place, entry)
  return place == NO_PLACE and entry or string.format("%.0f-%.0f", at, place)
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
