-- index: streams of job ids in the order of their time, for lists and for the keep time.
-- An entry's id is the job's own time and its place among those of the same millisecond, both of which the job keeps. A
-- controller whose clock is behind takes the time of the newest entry; then the job keeps the whole id.

local next_entry = string.format("%.0f-*", now)
local NO_PLACE = 65535

-- The place of the new entry, or none and its whole id.
local function add_entry(stream, id)
  local added = redis.pcall("XADD", stream, next_entry, "id", id)
  if added.err then
    local newest = redis.call("XREVRANGE", stream, "+", "-", "COUNT", 1)[1] or error(added.err)
    return NO_PLACE, redis.call("XADD", stream, string.match(newest[1], "^%d+") .. "-*", "id", id)
  end
  local place = tonumber(string.sub(added, #next_entry))
  if place < NO_PLACE then return place end
  return NO_PLACE, added
end

local function remove_entry(stream, at, place, entry)
  redis.call("XDEL", stream, place == NO_PLACE and entry or string.format("%.0f-%.0f", at, place))
end

local function ended_stream(status)
  return prefix .. "ended:" .. status
end
