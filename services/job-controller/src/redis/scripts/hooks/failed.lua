-- failed: the jobs whose status hook could not be told something, the newest first.
-- needs: call/context, call/isolate, hooks/outbox
-- reads: hook-failing, hook-causes, hook-failed
-- arguments: the id before which to begin or empty, how many at most
-- reply: for each job id, name, status, hook status, how many events failed, "time cause" of the last failure or empty
-- when memory is full: refused
return function(before, limit)
  local last = before == "" and "+" or "(" .. before
  local failing, reply = context.prefix .. "hook-failing", {}
  local function show(id, job)
    if not job then return end
    local cause = redis.call("HGET", context.prefix .. "hook-causes", id) or ""
    local events = redis.call("LLEN", outbox.failures_of(id))
    reply[#reply + 1] = { id, job.name, job.status, job.hook_status, events, cause }
  end
  for _, id in ipairs(redis.call("ZRANGE", failing, last, "-", "BYLEX", "REV", "LIMIT", 0, limit)) do isolate.job(id, show) end
  return reply
end
