-- barred: who is not given a job for a while, so that others get it: one process of a worker, or a worker whatever its process.
-- needs: call/context, lease/sessions
-- gives: key_of, process_of, as_worker, next_wait, put, knows, has, bars, forget
-- writes: refused

-- How long who is barred for the first time is not given the job; twice as long each time, up to the longest.
local FIRST_MS, LONGEST_MS = 15000, 900000
local REMEMBERED_MS = 86400000

local function key_of(id)
  return context.prefix .. "refused:" .. id
end

-- The present process of a worker; nil when the worker is gone.
local function process_of(worker)
  local entry = sessions.entry_of(worker)
  if not entry then return nil end
  local _, generation = sessions.process_of(entry)
  return worker .. " " .. context.number_text(generation)
end

-- The worker, whatever its process.
local function as_worker(worker)
  return worker .. " *"
end

-- How long it would be barred now, in ms.
local function next_wait(id, who)
  local last = string.match(redis.call("HGET", key_of(id), who) or "", " (%d+)$")
  return last and math.min(last * 2, LONGEST_MS) or FIRST_MS
end

local function put(id, who, free_at, wait)
  redis.call("HSET", key_of(id), who, string.format("%.0f %.0f", free_at, wait))
  redis.call("PEXPIRE", key_of(id), REMEMBERED_MS)
end

-- Whether it was ever barred.
local function knows(id, who)
  return redis.call("HEXISTS", key_of(id), who) == 1
end

-- Whether anybody was.
local function has(id)
  return redis.call("EXISTS", key_of(id)) == 1
end

-- Whether the job is not for the worker now.
local function bars(id, worker)
  for _, bar in ipairs(redis.call("HMGET", key_of(id), process_of(worker), as_worker(worker))) do
    if bar and tonumber(string.match(bar, "^%d+")) > context.now then return true end
  end
  return false
end

local function forget(id)
  redis.call("UNLINK", key_of(id))
end

return { key_of = key_of, process_of = process_of, as_worker = as_worker, next_wait = next_wait, put = put, knows = knows,
  has = has, bars = bars, forget = forget }
