-- index: streams of job ids in the order of their time, for lists and for the keep time.
-- An entry's id is the job's own time and its place among those of the same millisecond, both of which the job keeps. A
-- controller whose clock is behind takes the newest time that the stream has seen; then the job keeps the whole id.

local next_entry = string.format("%.0f-*", now)
local NO_PLACE = 65535

local function newest_time(stream)
  local info = redis.pcall("XINFO", "STREAM", stream)
  for at = 1, #info, 2 do
    if info[at] == "last-generated-id" then return string.match(info[at + 1], "^%d+") end
  end
end

-- The place of the new entry, or none and its whole id.
local function add_entry(stream, id)
  local added = redis.pcall("XADD", stream, next_entry, "id", id)
  if added.err then
    local newest = newest_time(stream) or error(added.err)
    return NO_PLACE, redis.call("XADD", stream, newest .. "-*", "id", id)
  end
  local place = tonumber(string.sub(added, #next_entry))
  if place < NO_PLACE then return place end
  return NO_PLACE, added
end

local function entry_of(at, place, entry)
  return place == NO_PLACE and entry or string.format("%.0f-%.0f", at, place)
end

-- Notes a job that was just launched among those of its parent, in the order of the index and under the same id.
local function add_sub_job(parent, id)
  local job = find(id)
  redis.call("XADD", prefix .. "sub-jobs:" .. parent, entry_of(job[ENQUEUED], job[PLACE], job[ENTRY]), "id", id)
end

local function ended_stream(status)
  return prefix .. "ended:" .. status
end
