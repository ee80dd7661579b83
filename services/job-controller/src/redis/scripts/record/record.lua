-- record: a job's record is three parts (docs/redis-keys.md): the fields that every transition needs, in a fixed form that is
-- quick to read and write; the details, MessagePack, absent while they say nothing; the parameters, which no script reads.
-- needs: record/fields
-- needs at times: record/details, record/unreadable
-- gives: new, decode, encode, details_of, parameters_of

-- by job: its details once somebody asked for one, and whether they were changed
local details, has_new_details = {}, {}
local byte = string.byte

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
    known = modules["record/details"].unpack(string.sub(rest_of(job), 1, job.details_size))
    details[job] = known
  end
  return known or fields.NO_DETAILS
end

-- A job is a table of its fields; its details are read and written like fields. Most jobs have none, and read empty ones.
local with_details = {
  __index = function(job, name) return details_of(job)[name] end,
  __newindex = function(job, name, value)
    details_of(job)[name] = value
    has_new_details[job] = true
  end,
}
local without_details = {
  __index = fields.NO_DETAILS,
  __newindex = function(job, name, value)
    details[job] = modules["record/details"].copy(fields.NO_DETAILS)
    setmetatable(job, with_details)
    job[name] = value
  end,
}

-- A job from a table of all its fields, without details.
local function new_job(job, parameters)
  job.bytes, job.rest = parameters, 1
  return setmetatable(job, without_details)
end

local function decode(id, bytes)
  local version = byte(bytes)
  if version ~= fields.VERSION then modules["record/unreadable"].refuse(id, version or 0, fields.VERSION) end
  local job = fields.decode(bytes)
  return setmetatable(job, job.details_size == 0 and without_details or with_details)
end

local function parameters_of(job)
  return job.details_size == 0 and rest_of(job) or string.sub(rest_of(job), job.details_size + 1)
end

local function encode(job)
  if has_new_details[job] then
    local new, parameters = modules["record/details"].pack(details[job]), parameters_of(job)
    job.bytes, job.details_size, has_new_details[job] = new .. parameters, #new, nil
  end
  return fields.encode(job) .. rest_of(job)
end

return { new = new_job, decode = decode, encode = encode, details_of = details_of, parameters_of = parameters_of }
