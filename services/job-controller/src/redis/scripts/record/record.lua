-- record: a job's record is three parts (docs/redis-keys.md): the fields that every transition needs, in a fixed form that is
-- quick to read and write; the details, MessagePack, absent while they say nothing; the parameters, which no script reads.
-- needs: record/fields, record/tables
-- needs at times: record/details, record/unreadable
-- gives: decode, encode, status_of

local byte = string.byte
local with_details, without_details = tables.with_details, tables.without_details

local function decode(id, bytes)
  local version = byte(bytes)
  if version ~= fields.VERSION then modules["record/unreadable"].refuse(id, version or 0, fields.VERSION) end
  local job = tables.next()
  job.bytes, job.rest, job.details, job.has_new_details, job.news = bytes, fields.decode(bytes, job), false, false, false
  return setmetatable(job, job.details_size == 0 and without_details or with_details)
end

local function encode(job)
  if job.has_new_details then
    local new, parameters = modules["record/details"].pack(job.details), tables.parameters_of(job)
    job.bytes, job.details_size, job.has_new_details = new .. parameters, #new, false
  end
  return fields.encode(job) .. tables.rest_of(job)
end

-- The number of the status that a record says.
local function status_of(bytes)
  return byte(bytes, 2)
end

return { decode = decode, encode = encode, status_of = status_of }
