-- prelude: what all transitions share. The controller joins prelude, transitions and dispatch to one script, so that
-- the operations of one event-loop turn are one call.
-- KEYS: 1 jobs, 2 scheduled, 3 workers, 4 leases, 5 counts; the others begin with the same prefix and hash tag.
local jobs, scheduled, workers, leases, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local prefix = string.sub(jobs, 1, -5)
local now = tonumber(ARGV[1])

-- A job's record is an array (docs/redis-keys.md) followed by its parameters.
local STATUS, TOKEN, ATTEMPT, CRASHES, REVISION, COMMAND, NAME, UPSTREAM = 1, 2, 3, 4, 5, 6, 7, 8
local ENQUEUED, UPDATED, RUN_AT, STARTED, ENDED, WORKER = 9, 10, 11, 12, 13, 14
local CHECK_IN, CHECK_IN_AT, PHASE, PERCENT, ERROR, PARENT, TRACE = 15, 16, 17, 18, 19, 20, 21
local SCHEDULED, PENDING, RUNNING, STOPPED, CANCELLED, ERRED, SUCCESS = 1, 2, 3, 4, 5, 6, 7
local STOP, CANCEL = 1, 2
local MAX_CRASHES = 3

local transitions, changes, ready_names = {}, {}, {}

-- The refusal of the running operation; a variable, because Redis' pcall makes text of an error that is a table.
local refusal

local function refuse(reason, subject)
  refusal = { err = reason .. " " .. subject }
  error(reason)
end

local function load(id)
  local record = redis.call("HGET", jobs, id)
  if not record then refuse("JOB_NOT_FOUND", id) end
  local offset, job = cmsgpack.unpack_one(record)
  return job, string.sub(record, offset + 1)
end

local function save(id, job, parameters)
  job[REVISION] = job[REVISION] + 1
  job[UPDATED] = now
  redis.call("HSET", jobs, id, cmsgpack.pack(job) .. parameters)
end

local function count(job, by)
  local field = job[NAME] .. ":" .. job[STATUS]
  changes[field] = (changes[field] or 0) + by
end

local function move(job, status)
  count(job, -1)
  job[STATUS] = status
  count(job, 1)
end

local function enqueue(id, job, side)
  if redis.call(side, prefix .. "ready:" .. job[NAME], id) == 1 then ready_names[job[NAME]] = true end
end

-- Ends a job that is RUNNING for its worker; the caller moves it on.
local function let_go(id, job)
  redis.call("HDEL", prefix .. "held:" .. job[WORKER], id)
  job[COMMAND] = 0
end

local function finish(job, status)
  move(job, status)
  job[ENDED] = now
end

-- How a fenced operation stands: "held", or the verdict that refuses it.
local function standing(job, token)
  if job[TOKEN] ~= tonumber(token) then return "stale" end
  return job[STATUS] == RUNNING and "held" or "duplicate"
end

-- Refuses a worker that is not known any more or that a newer process of its id has replaced.
local function check_worker(worker, incarnation)
  local known = redis.call("HGET", workers, worker)
  if not known then refuse("LEASE_LOST", worker) end
  if string.match(known, "^%S+") ~= incarnation then refuse("WORKER_SUPERSEDED", worker) end
end

local function check_in(job, text, phase, percent)
  if text ~= "" then job[CHECK_IN], job[CHECK_IN_AT] = text, now end
  if phase ~= "" then job[PHASE], job[PERCENT] = phase, tonumber(percent) end
end
