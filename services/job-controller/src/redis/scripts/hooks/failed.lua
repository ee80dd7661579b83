-- failed: the jobs whose status hook failed: its next event is tried again, or events were given up. The newest first.
-- needs: call/context, call/isolate, hooks/state, hooks/hosts
-- reads: hook-failing, hook-causes, hook-failed, hook-tries, hook-due
-- arguments: the id before which to begin or empty, how many at most
-- reply: the last id seen or empty at the end, then for each job id, name, status, hook status, URL, how many events were given up, "time cause" of the last failure or
--   empty, failed tries of the next event, when that is tried again or 0
-- when memory is full: refused
return function(before, limit)
  local last = before == "" and "+" or "(" .. before
  local failing, reply = context.prefix .. "hook-failing", { "" }
  local function show(id, job)
    if not job then return end
    local cause = redis.call("HGET", context.prefix .. "hook-causes", id) or ""
    local events = redis.call("LLEN", state.failures_of(id))
    local tries = tonumber(redis.call("HGET", context.prefix .. "hook-tries", id) or 0)
    local next_try = tries > 0 and redis.call("ZSCORE", hosts.due_of(hosts.of(job)), id)
    reply[#reply + 1] = { id, job.name, job.status, job.hook_status, job.hook, events, cause, tries, tonumber(next_try or 0) }
  end
  local ids = redis.call("ZRANGE", failing, last, "-", "BYLEX", "REV", "LIMIT", 0, limit)
  for _, id in ipairs(ids) do isolate.job(id, show) end
  if #ids == tonumber(limit) then reply[1] = ids[#ids] end
  return reply
end
