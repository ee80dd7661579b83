-- refusals: which processes of workers may not do a job that others may do.
-- needs: call/context, lease/sessions
-- gives: note, is_by_all, bars, forget
-- writes: refused

-- How long a process is not given a job that it was refused for, at first; twice as long each time, up to the longest.
local FIRST_MS, LONGEST_MS = 15000, 900000
local REMEMBERED_MS = 86400000

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

local function note(id, worker)
  local key, process = key_of(id), process_of(worker)
  local last = string.match(redis.call("HGET", key, process) or "", " (%d+)$")
  local wait = last and math.min(last * 2, LONGEST_MS) or FIRST_MS
  redis.call("HSET", key, process, string.format("%.0f %.0f", context.now + wait, wait))
  redis.call("PEXPIRE", key, REMEMBERED_MS)
end

-- Whether each of the workers that is there has been refused; they are told with a space between.
local function is_by_all(id, workers)
  for worker in string.gmatch(workers, "%S+") do
    local process = process_of(worker)
    if process and redis.call("HEXISTS", key_of(id), process) == 0 then return false end
  end
  return true
end

-- Whether the job is not for the worker now.
local function bars(id, worker)
  local refusal = redis.call("HGET", key_of(id), process_of(worker))
  return refusal and tonumber(string.match(refusal, "^%d+")) > context.now
end

local function forget(id)
  redis.call("UNLINK", key_of(id))
end

return { note = note, is_by_all = is_by_all, bars = bars, forget = forget }
