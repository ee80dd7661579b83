-- store: reads records, and writes them all at the end.
-- Records that dispatch writes at the end: one command for all of a call costs far less than one for each. By job id.
local records = {}

local function load(id)
  local record = records[id] or redis.call("HGET", jobs, id)
  if not record then refuse("JOB_NOT_FOUND", id) end
  return setmetatable({ record, struct.unpack(FORM, record) }, fields)
end

local function is_known(id)
  return records[id] ~= nil or redis.call("HEXISTS", jobs, id) == 1
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
  records[id] = encode(job)
end
