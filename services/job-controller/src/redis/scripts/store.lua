-- store: reads records, and writes them all at the end.
-- Records that dispatch writes at the end: one command for all of a call costs far less than one for each. By job id.
local records = {}
-- What the running operation has changed of them, to be taken back if it fails: the record before, or false.
local records_before = {}

local function find(id)
  local record = records[id] or redis.call("HGET", jobs, id)
  return record and setmetatable({ record, struct.unpack(FORM, record) }, fields)
end

local function load(id)
  return find(id) or refuse("JOB_NOT_FOUND", id)
end

local function is_known(id)
  return records[id] ~= nil or redis.call("HEXISTS", jobs, id) == 1
end

local function take_back_records()
  for id, before in pairs(records_before) do records[id] = before or nil end
end

local function write_records()
  local args = {}
  local function write()
    redis.call("HSET", jobs, unpack(args))
    args = {}
  end
  for id, record in pairs(records) do
    args[#args + 1], args[#args + 2] = id, record
    if #args == 1000 then write() end
  end
  if #args > 0 then write() end
end

-- Stores what is no change that watchers see.
local function store(id, job)
  if records_before[id] == nil then records_before[id] = records[id] or false end
  records[id] = encode(job)
end
