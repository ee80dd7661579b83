-- record: a job's record is an array (docs/redis-keys.md) followed by its parameters.
local STATUS, TOKEN, ATTEMPT, CRASHES, REVISION, COMMAND, NAME, UPSTREAM = 1, 2, 3, 4, 5, 6, 7, 8
local ENQUEUED, UPDATED, RUN_AT, STARTED, ENDED, WORKER = 9, 10, 11, 12, 13, 14
local CHECK_IN, CHECK_IN_AT, PHASE, PERCENT, ERROR, PARENT, TRACE = 15, 16, 17, 18, 19, 20, 21
-- a policy is {attempts, base, cap, run limit, queue limit, reasons}; labels and schedule are JSON, or empty
local PRIORITY, FAIRNESS, KIND, UNIQUE, POLICY, LABELS, SCHEDULE, HOOK, HOOK_STATUS = 22, 23, 24, 25, 26, 27, 28, 29, 30
local PERIODIC = 3
local SCHEDULED, PENDING, RUNNING, STOPPED, CANCELLED, ERRED, SUCCESS = 1, 2, 3, 4, 5, 6, 7
local STOP, CANCEL = 1, 2

local function load(id)
  local record = redis.call("HGET", jobs, id)
  if not record then refuse("JOB_NOT_FOUND", id) end
  local offset, job = cmsgpack.unpack_one(record)
  return job, string.sub(record, offset + 1)
end

-- Jobs whose hook is to be told what changed; tell_hook is in hooks.
local news, tell_hook = {}, nil

local function save(id, job, parameters)
  job[REVISION] = job[REVISION] + 1
  -- the clock of another controller may be ahead
  job[UPDATED] = math.max(now, job[UPDATED])
  if news[job] and job[HOOK] ~= "" then tell_hook(id, job, news[job]) end
  redis.call("HSET", jobs, id, cmsgpack.pack(job) .. parameters)
end

-- Notes that so many more jobs of the type stand where this one stands, and so many of its parent's jobs.
local function count(job, by)
  local field = job[NAME] .. ":" .. job[STATUS]
  changes[field] = (changes[field] or 0) + by
  if job[UPSTREAM] ~= "" and redis.call("HEXISTS", jobs, job[UPSTREAM]) == 1 then
    redis.call("HINCRBY", prefix .. "sub-job-totals:" .. job[UPSTREAM], job[STATUS], by)
  end
end

local function move(job, status)
  count(job, -1)
  job[STATUS], news[job] = status, "status"
  count(job, 1)
end

-- How a fenced operation stands: "held", or the verdict that refuses it.
local function standing(job, token)
  if job[TOKEN] ~= tonumber(token) then return "stale" end
  return job[STATUS] == RUNNING and "held" or "duplicate"
end

local function check_in(job, text, phase, percent)
  if text ~= "" then
    job[CHECK_IN], job[CHECK_IN_AT], news[job] = text, now, "check-in"
  end
  if phase ~= "" then job[PHASE], job[PERCENT] = phase, tonumber(percent) end
end
