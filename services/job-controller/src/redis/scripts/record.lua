-- record: a job's record is three parts (docs/redis-keys.md): numbers and names that every transition needs, in a fixed
-- form that is quick to read and write; the details, MessagePack, absent while they say nothing; the parameters.
local RECORD, STATUS, KIND, PRIORITY, COMMAND, CRASHES, PARENT, LIMITED, HOOK_STATUS = 1, 2, 3, 4, 5, 6, 7, 8, 9
local ATTEMPT, TOKEN, REVISION, ENQUEUED, UPDATED, RUN_AT, STARTED, ENDED = 10, 11, 12, 13, 14, 15, 16, 17
local PLACE, END_PLACE, NAME, UPSTREAM, WORKER, FAIRNESS, SECTION, DETAILS, REST = 18, 19, 20, 21, 22, 23, 24, 25, 26
local FORM = ">BBBBBBBBHI4I4I6I6I6I6I6HHssssI4I3"
-- an error is {reason, message, attempt, time}, a policy {attempts, base, cap, run limit, queue limit, reasons}, or false
local CHECK_IN, CHECK_IN_AT, PHASE, PERCENT, ERROR, TRACE = 27, 28, 29, 30, 31, 32
local UNIQUE, POLICY, LABELS, SCHEDULE, HOOK, ENTRY, END_ENTRY, REQUEST = 33, 34, 35, 36, 37, 38, 39, 40
local NO_DETAILS = { "", 0, "", 0, false, "", "", false, "", "", "", "", "", "" }
local YES, NO = 1, 0
local SCHEDULED, PENDING, RUNNING, STOPPED, CANCELLED, ERRED, SUCCESS = 1, 2, 3, 4, 5, 6, 7
local PERIODIC = 3
local STOP, CANCEL = 1, 2

-- The details of jobs that were asked for, and the jobs whose details were changed.
local details, has_new_details = {}, {}

-- The details and the parameters behind the fields. From here on the job has no more than that of its record.
local function rest_of(job)
  if job[REST] > 1 then
    job[RECORD], job[REST] = string.sub(job[RECORD], job[REST]), 1
  end
  return job[RECORD]
end

local function details_of(job)
  local known = details[job]
  if not known and job[DETAILS] > 0 then
    known = cmsgpack.unpack(string.sub(rest_of(job), 1, job[DETAILS]))
    details[job] = known
  end
  return known or NO_DETAILS
end

local fields = {
  __index = function(job, field) return details_of(job)[field - REST] end,
  __newindex = function(job, field, value)
    if details_of(job) == NO_DETAILS then details[job] = { unpack(NO_DETAILS) } end
    details[job][field - REST] = value
    has_new_details[job] = true
  end,
}

local function parameters_of(job)
  return job[DETAILS] == 0 and rest_of(job) or string.sub(rest_of(job), job[DETAILS] + 1)
end

local function encode(job)
  if has_new_details[job] then
    local new, parameters = cmsgpack.pack(details[job]), parameters_of(job)
    job[RECORD], job[DETAILS], has_new_details[job] = new .. parameters, #new, nil
  end
  return struct.pack(FORM, unpack(job, STATUS, DETAILS)) .. rest_of(job)
end

-- A job as replies show it.
local function shown(id, job)
  return { id, { unpack(job, STATUS, FAIRNESS) }, details_of(job), parameters_of(job) }
end
