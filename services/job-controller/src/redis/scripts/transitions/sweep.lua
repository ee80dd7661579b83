-- sweep: removes jobs that have stood in a final status longer than its keep time, with all that belongs to them.
-- needs: call/context, call/isolate, record/kinds, record/hook-statuses, record/index, record/store,
--   hooks/state, hooks/hosts, life/launch, log/chunks
-- reads: ended, swept, hook-events
-- writes: index, ended, swept, sub-jobs, sub-job-keys, sub-job-totals, ending, schedule, log, hook-events,
--   hook-failed, hook-failing, hook-tries, hook-causes, hook-redelivered
-- arguments: status, the time before which it must have been reached in ms, the same for a job whose hook has failed,
--   how many at most
-- reply: how many entries were looked at
local ROUND_MS = 3600000
local prefix = context.prefix

local function forget_hook(id, job)
  hosts.drop(hosts.of(job), id)
  redis.call("UNLINK", state.events_of(id), state.failures_of(id))
  redis.call("ZREM", prefix .. "hook-failing", id)
  for _, hash in ipairs({ "hook-tries", "hook-causes", "hook-redelivered" }) do redis.call("HDEL", prefix .. hash, id) end
end

local function forget(id, job)
  store.remove(id, job)
  local entry = index.entry_of(job.enqueued, job.place, job.entry)
  redis.call("XDEL", prefix .. "index", entry)
  if job.upstream ~= "" then redis.call("XDEL", prefix .. "sub-jobs:" .. job.upstream, entry) end
  redis.call("UNLINK", chunks.key_of(id))
  if job.parent == 1 then
    for _, kind in ipairs({ "sub-jobs:", "sub-job-keys:", "sub-job-totals:" }) do redis.call("UNLINK", prefix .. kind .. id) end
    redis.call("HDEL", prefix .. "ending", id)
  end
  if job.kind == kinds.PERIODIC then redis.call("UNLINK", prefix .. "schedule:" .. id) end
  if job.hook ~= "" then forget_hook(id, job) end
end

-- A job stays as long as its request has it for an answer; while its hook is to be told something, and for a time when that
-- could not be done.
local function is_needed(id, job, hooks_before)
  if job.request ~= "" and context.now < job.enqueued + launch.REQUEST_MS then return true end
  if job.hook_status == hook_statuses.NONE or job.hook_status == hook_statuses.DELIVERED then return false end
  return job.status_time >= tonumber(hooks_before) or redis.call("EXISTS", state.events_of(id)) == 1
end

-- Where to go on, behind the jobs that stay for now, and when the round began: once an hour it begins anew.
local function place_in_round(status)
  local entry, began = string.match(redis.call("HGET", prefix .. "swept", status) or "", "(%S+) (%d+)")
  if entry and context.now < began + ROUND_MS then return "(" .. entry, began end
  return "-", string.format("%.0f", context.now)
end

return function(status, before, hooks_before, limit)
  local ended, from, began = index.ended(status), place_in_round(status)
  -- an end without a count takes in the whole of its millisecond
  local last = string.format("%.0f", tonumber(before) - 1)
  local entries, stays = redis.call("XRANGE", ended, from, last, "COUNT", limit), nil
  for _, entry in ipairs(entries) do
    local goes
    local done = isolate.job(entry[2][2], function(id, job)
      local is_over = job and job.status == tonumber(status) and job.status_time < tonumber(before)
      goes = not is_over or not is_needed(id, job, hooks_before)
      if is_over and goes then forget(id, job) end
    end)
    if done and goes then redis.call("XDEL", ended, entry[1]) else stays = entry[1] end
  end
  if stays then redis.call("HSET", prefix .. "swept", status, stays .. " " .. began) end
  return #entries
end
