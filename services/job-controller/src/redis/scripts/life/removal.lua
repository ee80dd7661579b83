-- removal: takes ended jobs out, the oldest first, with all that belongs to them.
-- needs: call/context, call/isolate, record/kinds, record/index, record/store, hooks/state, hooks/hosts,
--   log/chunks
-- gives: sweep_position, run
-- reads: ended, swept
-- writes: index, ended, swept, sub-jobs, sub-job-keys, sub-job-totals, ending, schedule, log, hook-events,
--   hook-failed, hook-failing, hook-tries, hook-causes, hook-redelivered, checkpoint
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
  local entry = index.entry_of(job.enqueued, job.sequence, job.entry)
  redis.call("XDEL", prefix .. "index", entry)
  if job.upstream ~= "" then redis.call("XDEL", prefix .. "sub-jobs:" .. job.upstream, entry) end
  redis.call("UNLINK", chunks.key_of(id))
  if job.parent == 1 then
    for _, kind in ipairs({ "sub-jobs:", "sub-job-keys:", "sub-job-totals:" }) do redis.call("UNLINK", prefix .. kind .. id) end
    redis.call("HDEL", prefix .. "ending", id)
  end
  if job.checkpoint ~= 0 then redis.call("UNLINK", prefix .. "checkpoint:" .. id) end
  if job.kind == kinds.PERIODIC then redis.call("UNLINK", prefix .. "schedule:" .. id) end
  if job.hook ~= "" then forget_hook(id, job) end
end

-- Where the sweep goes on, behind the jobs that stay for now, and when its round began: each hour a new one begins.
local function sweep_position(status)
  local entry, began = string.match(redis.call("HGET", prefix .. "swept", status) or "", "(%S+) (%d+)")
  if entry and context.now < began + ROUND_MS then return "(" .. entry, began end
  return "-", string.format("%.0f", context.now)
end

-- Removes jobs that reached the status before the time, those that are not needed; looks at `limit` at most. Returns how many
-- it looked at and the ids of those that it removed.
local function run(status, before, limit, is_needed)
  local ended, from, began = index.ended(status), sweep_position(status)
  -- an end without a count takes in the whole of its millisecond
  local last = string.format("%.0f", before - 1)
  local entries, stays, removed = redis.call("XRANGE", ended, from, last, "COUNT", limit), nil, {}
  for _, entry in ipairs(entries) do
    local goes
    local done = isolate.job(entry[2][2], function(id, job)
      local is_over = job and job.status == status and job.status_time < before
      goes = not is_over or not is_needed(id, job)
      if is_over and goes then
        forget(id, job)
        removed[#removed + 1] = id
      end
    end)
    if done and goes then redis.call("XDEL", ended, entry[1]) else stays = entry[1] end
  end
  if stays then redis.call("HSET", prefix .. "swept", status, stays .. " " .. began) end
  return #entries, removed
end

return { sweep_position = sweep_position, run = run }
