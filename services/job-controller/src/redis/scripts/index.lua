-- index: streams of job ids in the order of their time, for lists and for the keep time.
-- An entry's id is the job's own time and its place among those of the same millisecond, both of which the job keeps.

local next_entry = string.format("%.0f-*", now)
-- A controller whose clock is behind takes the time of the newest entry; then the place is not known.
local NO_PLACE = 65535

-- The place of the new entry.
local function add_entry(stream, id)
  local added = redis.pcall("XADD", stream, next_entry, "id", id)
  if not added.err then return math.min(NO_PLACE, tonumber(string.sub(added, #next_entry))) end
  local newest = redis.call("XREVRANGE", stream, "+", "-", "COUNT", 1)[1]
  redis.call("XADD", stream, string.match(newest[1], "^%d+") .. "-*", "id", id)
  return NO_PLACE
end

-- An entry without a place goes when its turn comes in the sweep.
local function remove_entry(stream, at, place)
  if place ~= NO_PLACE then redis.call("XDEL", stream, string.format("%.0f-%.0f", at, place)) end
end

local function ended_stream(status)
  return prefix .. "ended:" .. status
end
