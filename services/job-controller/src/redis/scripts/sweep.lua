-- sweep: removes jobs that have stood in a final status longer than its keep time, with all that belongs to them.
-- arguments: status, the time before which it must have been reached in ms, the same for a job whose hook has failed,
--   how many at most
-- reply: how many entries were looked at
local ROUND_MS = 3600000

local function forget_hook(id)
  redis.call("UNLINK", hook_events(id), hook_failures(id))
  for _, set in ipairs({ "hook-due", "hook-failing" }) do redis.call("ZREM", prefix .. set, id) end
  for _, hash in ipairs({ "hook-tries", "hook-causes", "hook-redelivered" }) do redis.call("HDEL", prefix .. hash, id) end
end

local function forget(id, job)
  records[id] = nil
  redis.call("HDEL", jobs, id)
  local entry = entry_of(job[ENQUEUED], job[PLACE], job[ENTRY])
  redis.call("XDEL", prefix .. "index", entry)
  if job[UPSTREAM] ~= "" then redis.call("XDEL", prefix .. "sub-jobs:" .. job[UPSTREAM], entry) end
  redis.call("UNLINK", prefix .. "log:" .. id)
  if job[PARENT] == YES then
    for _, kind in ipairs({ "sub-jobs:", "sub-job-keys:", "sub-job-totals:" }) do redis.call("UNLINK", prefix .. kind .. id) end
    redis.call("HDEL", prefix .. "ending", id)
  end
  if job[KIND] == PERIODIC then redis.call("UNLINK", prefix .. "schedule:" .. id) end
  if job[HOOK] ~= "" then forget_hook(id) end
  count_of_type(job, -1)
end

-- A job stays as long as its request has it for an answer; while its hook is to be told something, and for a time when that
-- could not be done.
local function is_needed(id, job, hooks_before)
  if job[REQUEST] ~= "" and now < job[ENQUEUED] + REQUEST_MS then return true end
  if job[HOOK_STATUS] == 0 or job[HOOK_STATUS] == HOOK_DELIVERED then return false end
  return job[ENDED] >= tonumber(hooks_before) or redis.call("EXISTS", hook_events(id)) == 1
end

-- Where to go on, behind the jobs that stay for now, and when the round began: once an hour it begins anew.
local function place_in_round(status)
  local entry, began = string.match(redis.call("HGET", prefix .. "swept", status) or "", "(%S+) (%d+)")
  if entry and now < began + ROUND_MS then return "(" .. entry, began end
  return "-", string.format("%.0f", now)
end

transitions.sweep = function(status, before, hooks_before, limit)
  local stream, from, began = ended_stream(status), place_in_round(status)
  -- an end without a count takes in the whole of its millisecond
  local last = string.format("%.0f", tonumber(before) - 1)
  local entries, stays = redis.call("XRANGE", stream, from, last, "COUNT", limit), nil
  for _, entry in ipairs(entries) do
    local goes
    local done = attempt(entry[2][2], function(id, job)
      local is_over = job and job[STATUS] == tonumber(status) and job[ENDED] < tonumber(before)
      goes = not is_over or not is_needed(id, job, hooks_before)
      if is_over and goes then forget(id, job) end
    end)
    if done and goes then redis.call("XDEL", stream, entry[1]) else stays = entry[1] end
  end
  if stays then redis.call("HSET", prefix .. "swept", status, stays .. " " .. began) end
  return #entries
end
