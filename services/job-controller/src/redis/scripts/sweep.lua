-- sweep: removes jobs that have stood in a final status longer than its keep time, with all that belongs to them.
-- arguments: status, the time before which it must have been reached in ms, how many at most
-- reply: how many entries were looked at
local function forget_hook(id)
  redis.call("UNLINK", hook_events(id), hook_failures(id))
  redis.call("ZREM", prefix .. "hook-due", id)
  redis.call("ZREM", prefix .. "hook-failing", id)
  redis.call("HDEL", prefix .. "hook-tries", id)
  redis.call("HDEL", prefix .. "hook-causes", id)
  redis.call("HDEL", prefix .. "hook-redelivered", id)
end

local function forget(id, job)
  records[id] = nil
  redis.call("HDEL", jobs, id)
  remove_entry(prefix .. "index", job[ENQUEUED], job[PLACE], job[ENTRY])
  redis.call("UNLINK", prefix .. "log:" .. id)
  if job[PARENT] == YES then
    local children = ":" .. id
    redis.call("UNLINK", prefix .. "sub-jobs" .. children, prefix .. "sub-job-keys" .. children,
      prefix .. "sub-job-totals" .. children)
    redis.call("HDEL", prefix .. "ending", id)
  end
  if job[KIND] == PERIODIC then redis.call("UNLINK", prefix .. "schedule:" .. id) end
  if job[HOOK] ~= "" then forget_hook(id) end
  count_of_type(job, -1)
end

transitions.sweep = function(status, before, limit)
  local stream = ended_stream(status)
  -- an end without a count takes in the whole of its millisecond
  local last = string.format("%.0f", tonumber(before) - 1)
  local entries = redis.call("XRANGE", stream, "-", last, "COUNT", limit)
  for _, entry in ipairs(entries) do
    local id = entry[2][2]
    local job = find(id)
    if job and job[STATUS] == tonumber(status) and job[ENDED] < tonumber(before) then forget(id, job) end
    redis.call("XDEL", stream, entry[1])
  end
  return #entries
end
