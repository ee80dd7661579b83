-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, id of another shard that the key does not stand for any more or empty, how the unique
--   key stands in its own shard when that is another one and by what (see reserve-key), or both empty, id, name,
--   traceparent, parameters, options as JSON or empty
-- reply: the job, or the one that holds its unique key; of one in another shard its id, and 1 if a former life asked for it
-- errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED
-- Among the keys of a job's sub-jobs, which are never empty: how often the job was retried. Each retry begins another life.
local LIFE = ""

-- The job that the key stands for. One of a former life counts if it succeeded, or is alive and not to end.
local function launched_before(its_life, id, life)
  local job = id and find(id)
  if not job or its_life == life then return job and id end
  local goes_on = job[STATUS] <= RUNNING and job[COMMAND] == 0
  return (goes_on or job[STATUS] == SUCCESS) and id
end

-- The job that holds the unique key, if it goes on.
local function holder_of(unique, hold, by)
  if hold == "ends" then refuse("UNIQUE_ENDS", by) end
  if hold == "held" then return by end
  local id = unique ~= "" and redis.call("HGET", prefix .. "unique", unique)
  local job = id and find(id)
  if job and job[COMMAND] ~= 0 then refuse("UNIQUE_ENDS", id) end
  return job and id
end

local function launch_for(parent, id, name, trace, parameters, options)
  launch(id, name, trace, parameters, parent, options)
  add_sub_job(parent, id)
  return id
end

transitions["launch-sub-job"] = function(parent_id, token, key, gone, hold, by, id, ...)
  local parent = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local keys = prefix .. "sub-job-keys:" .. parent_id
  local life = redis.call("HGET", keys, LIFE) or "0"
  local its_life, known = string.match(redis.call("HGET", keys, key) or "", "^(%d+) (.+)$")
  if known and known ~= gone and is_elsewhere(known, parent_id) then return { known, its_life == life and 0 or 1 } end
  local launched = launched_before(its_life, known, life)
  if not launched then
    local options = select(4, ...)
    launched = options ~= "" and holder_of(cjson.decode(options).unique, hold, by)
    if not launched then
      if hold == "reserved" and is_withdrawn(by) then refuse("UNIQUE_RESERVED", id .. " " .. by) end
      launched = launch_for(parent_id, id, ...)
    end
    parent[PARENT] = YES
    -- its stop or cancel was passed on without this one
    if parent[COMMAND] ~= 0 then pass_on(parent_id, parent, parent[COMMAND]) end
    save(parent_id, parent)
  end
  redis.call("HSET", keys, key, life .. " " .. launched)
  if is_elsewhere(launched, parent_id) then return { launched, 0 } end
  return shown(launched, load(launched))
end
