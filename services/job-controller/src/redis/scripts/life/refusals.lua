-- refusals: which processes of workers may not do a job that others may do.
-- needs: call/context, lease/able, life/barred
-- gives: note
-- writes: refused

-- No process is called so: each has a space.
local BY_ALL_SINCE = "by-all-since"

-- Notes that the job is refused to its worker; whether that is final: all workers that may do it are refused, and have been since
-- `grace` ms ago. One that restarts is back in that time, perhaps with other credentials. When it is over, the job comes to a worker
-- once more.
local function note(id, job, grace)
  local key, refused, now = barred.key_of(id), barred.process_of(job.worker), context.now
  local wait = barred.next_wait(id, refused)
  local free_at, is_final = now + wait, false
  local is_for_another = able.is_any(job.name, function(worker)
    local process = barred.process_of(worker)
    return process ~= refused and not barred.knows(id, process)
  end)
  if is_for_another then
    redis.call("HDEL", key, BY_ALL_SINCE)
  else
    local final_at = tonumber(redis.call("HGET", key, BY_ALL_SINCE) or now) + grace
    is_final = now >= final_at
    if not is_final then free_at = math.min(free_at, final_at) end
    redis.call("HSETNX", key, BY_ALL_SINCE, context.number_text(now))
  end
  barred.put(id, refused, free_at, wait)
  return is_final
end

return { note = note }
