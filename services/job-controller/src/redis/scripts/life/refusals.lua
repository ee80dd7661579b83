-- refusals: which processes of workers may not do a job that others may do.
-- needs: call/context, lease/sessions
-- gives: note, has, bars, forget
-- writes: refused

-- How long a process is not given a job that it was refused for, at first; twice as long each time, up to the longest.
local FIRST_MS, LONGEST_MS = 15000, 900000
local REMEMBERED_MS = 86400000
-- No process is called so: each has a space.
local BY_ALL_SINCE = "by-all-since"

local function key_of(id)
  return context.prefix .. "refused:" .. id
end

-- The present process of a worker; nil when the worker is gone. A new process may have other credentials.
local function process_of(worker)
  local entry = sessions.entry_of(worker)
  if not entry then return nil end
  local _, generation = sessions.process_of(entry)
  return worker .. " " .. context.number_text(generation)
end

-- Whether each of the workers that are there, with a space between, is refused; the process is.
local function is_by_all(key, workers, refused)
  for worker in string.gmatch(workers, "%S+") do
    local process = process_of(worker)
    if process and process ~= refused and redis.call("HEXISTS", key, process) == 0 then return false end
  end
  return true
end

-- Notes that the worker is refused; whether that is final: all workers that are there are refused, and have been since `grace` ms
-- ago. One that restarts is back in that time. When it is over, the job comes to a worker once more.
local function note(id, worker, workers, grace)
  local key, process, now = key_of(id), process_of(worker), context.now
  local last = string.match(redis.call("HGET", key, process) or "", " (%d+)$")
  local wait = last and math.min(last * 2, LONGEST_MS) or FIRST_MS
  local free_at, is_final = now + wait, false
  if is_by_all(key, workers, process) then
    local final_at = tonumber(redis.call("HGET", key, BY_ALL_SINCE) or now) + grace
    is_final = now >= final_at
    if not is_final then free_at = math.min(free_at, final_at) end
    redis.call("HSETNX", key, BY_ALL_SINCE, context.number_text(now))
  else
    redis.call("HDEL", key, BY_ALL_SINCE)
  end
  redis.call("HSET", key, process, string.format("%.0f %.0f", free_at, wait))
  redis.call("PEXPIRE", key, REMEMBERED_MS)
  return is_final
end

-- Whether a worker was refused for the job.
local function has(id)
  return redis.call("EXISTS", key_of(id)) == 1
end

-- Whether the job is not for the worker now.
local function bars(id, worker)
  local refusal = redis.call("HGET", key_of(id), process_of(worker))
  return refusal and tonumber(string.match(refusal, "^%d+")) > context.now
end

local function forget(id)
  redis.call("UNLINK", key_of(id))
end

return { note = note, has = has, bars = bars, forget = forget }
