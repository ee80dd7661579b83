-- end-sub-jobs: passes stops and cancels on to the jobs that the ended jobs launched, a part of them at a time.
-- needs: call/context, call/isolate, record/statuses, record/kinds, record/store, life/moves, life/stop, life/children
-- reads: ending, sub-jobs
-- writes: ending
-- arguments: how many steps at most: each job is one, and so is the end of a list
-- reply: how many steps it took

-- The end of a periodic job ends its waiting jobs. Those that ran by then go on; those that began since then had been waiting.
local function goes_on(parent, job)
  if not parent or parent.kind ~= kinds.PERIODIC then return false end
  return job.status > statuses.RUNNING or job.status == statuses.RUNNING and job.started <= parent.status_time
end

local function end_part(parent, limit)
  local ending = context.prefix .. "ending"
  local command, from = string.match(redis.call("HGET", ending, parent), "^(%d):(.+)$")
  command = tonumber(command)
  local parent_job = store.find(parent)
  local function pass_to(id, job)
    if not job or goes_on(parent_job, job) then return end
    if stop.job(id, job, command) then moves.save(id, job) end
    -- also for a child that has ended: its own children may be alive
    children.pass_on(id, job, command)
  end
  local entries = redis.call("XRANGE", context.prefix .. "sub-jobs:" .. parent, from, "+", "COUNT", limit)
  for _, entry in ipairs(entries) do isolate.job(entry[2][2], pass_to) end
  if #entries < limit then
    redis.call("HDEL", ending, parent)
    return #entries + 1
  end
  redis.call("HSET", ending, parent, command .. ":(" .. entries[#entries][1])
  return #entries
end

return function(limit)
  local done = 0
  limit = tonumber(limit)
  while done < limit do
    local parent = redis.call("HRANDFIELD", context.prefix .. "ending")
    if not parent then break end
    done = done + end_part(parent, limit - done)
  end
  return done
end
