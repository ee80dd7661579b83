-- tables: a job as scripts work with it, a table of its fields. Its details are read and written like fields.
-- needs: record/fields
-- needs at times: record/details
-- gives: recycle, next, new, with_details, without_details, rest_of, details_of, parameters_of

-- the tables that this call has made, and how many of them the running operation uses
local tables, used = {}, 0

-- The details and the parameters. From here on job.bytes holds no more than those.
local function rest_of(job)
  if job.rest > 1 then
    job.bytes, job.rest = string.sub(job.bytes, job.rest), 1
  end
  return job.bytes
end

local function details_of(job)
  if not job.details and job.details_size > 0 then
    job.details = modules["record/details"].unpack(string.sub(rest_of(job), 1, job.details_size))
  end
  return job.details or fields.NO_DETAILS
end

local function parameters_of(job)
  return job.details_size == 0 and rest_of(job) or string.sub(rest_of(job), job.details_size + 1)
end

-- Most jobs have no details: theirs are looked up in the table of empty ones, without a call, until one is written.
local with_details = {
  __index = function(job, name) return details_of(job)[name] end,
  __newindex = function(job, name, value) details_of(job)[name], job.has_new_details = value, true end,
}
local without_details = {
  __index = fields.NO_DETAILS,
  __newindex = function(job, name, value)
    job.details = modules["record/details"].copy(fields.NO_DETAILS)
    setmetatable(job, with_details)
    job[name] = value
  end,
}

-- The operation is over: the next one uses its tables again, as to make and to collect them costs more than to fill them.
local function recycle()
  used = 0
end

-- A table for a job, and whether its fields are zero or empty.
local function next_table()
  used = used + 1
  local job = tables[used]
  if job then return job, false end
  job = fields.blank()
  tables[used] = job
  return job, true
end

-- A job whose fields are all zero or empty, without details.
local function new_job(parameters)
  local job, is_blank = next_table()
  if not is_blank then fields.reset(job) end
  job.bytes, job.rest, job.details, job.has_new_details, job.news = parameters, 1, false, false, false
  return setmetatable(job, without_details)
end

return { recycle = recycle, next = next_table, new = new_job, with_details = with_details,
  without_details = without_details, rest_of = rest_of, details_of = details_of, parameters_of = parameters_of }
