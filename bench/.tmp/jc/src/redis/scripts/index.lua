-- index: streams of job ids in the order of their time, for lists and for the keep time.
-- The first part of an entry's id is the job's own time, so that the entry is found again through the job.

-- A controller whose clock is behind takes the time of the newest entry; the entry is then not found through the job,
-- and goes when its turn comes in the sweep.
local next_entry = string.format("%.0f-*", now)

local function add_entry(stream, id)
  local added = redis.pcall("XADD", stream, next_entry, "id", id)
  if not added.err then return end
  local newest = redis.call("XREVRANGE", stream, "+", "-", "COUNT", 1)[1]
  redis.call("XADD", stream, string.match(newest[1], "^%d+") .. "-*", "id", id)
end

local function remove_entry(stream, at, id)
  local time = string.format("%.0f", at)
  for _, entry in ipairs(redis.call("XRANGE", stream, time, time, "COUNT", 1000)) do
    if entry[2][2] == id then return redis.call("XDEL", stream, entry[1]) end
  end
end

local function ended_stream(status)
  return prefix .. "ended:" .. status
end
