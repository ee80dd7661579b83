-- record: a job's record is three parts (docs/redis-keys.md): the fields that every transition needs, in a fixed form that is
-- quick to read and write; the details, MessagePack, absent while they say nothing; the parameters, which no script reads.
-- needs: call/context, record/fields, record/trace
-- gives: new, decode, encode, parameters_of, shown
local record = {}
-- by job: its details once somebody asked for one, and whether they were changed
local details, has_new_details = {}, {}

-- The details and the parameters. From here on job.bytes holds no more than those.
local function rest_of(job)
  if job.rest > 1 then
    job.bytes, job.rest = string.sub(job.bytes, job.rest), 1
  end
  return job.bytes
end

local function details_of(job)
  local known = details[job]
  if not known and job.details_size > 0 then
    known = fields.unpack_details(string.sub(rest_of(job), 1, job.details_size))
    details[job] = known
  end
  return known or fields.NO_DETAILS
end

-- A job is a table of its fields; its details are read and written like fields.
local job_type = {
  __index = function(job, name) return details_of(job)[name] end,
  __newindex = function(job, name, value)
    if details_of(job) == fields.NO_DETAILS then details[job] = fields.copy_details(fields.NO_DETAILS) end
    details[job][name] = value
    has_new_details[job] = true
  end,
}

-- A job from a table of all its fields, without details.
function record.new(job, parameters)
  job.bytes, job.rest = parameters, 1
  return setmetatable(job, job_type)
end

function record.decode(id, bytes)
  local version = string.byte(bytes)
  if version ~= fields.VERSION then context.refuse("RECORD_VERSION_UNKNOWN", id .. " " .. tostring(version)) end
  return setmetatable(fields.decode(bytes), job_type)
end

function record.parameters_of(job)
  return job.details_size == 0 and rest_of(job) or string.sub(rest_of(job), job.details_size + 1)
end

function record.encode(job)
  if has_new_details[job] then
    local new, parameters = fields.pack_details(details[job]), record.parameters_of(job)
    job.bytes, job.details_size, has_new_details[job] = new .. parameters, #new, nil
  end
  return fields.encode(job) .. rest_of(job)
end

-- A job as replies show it.
function record.shown(id, job)
  local details_listed, parameters = fields.listed_details(details_of(job)), record.parameters_of(job)
  return { id, fields.listed(job), details_listed, parameters, trace.to_text(job.trace) }
end

return record
