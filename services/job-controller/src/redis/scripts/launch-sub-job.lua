-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, id, name, traceparent, parameters, options as JSON or empty
-- reply: the job, or the one that holds its unique key; errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_ENDS
-- Among the keys of a job's sub-jobs, which are never empty: how often the job was retried. Each retry begins another life.
local LIFE = ""

-- The job that the key stands for. One of a former life counts if it succeeded, or is alive and not to end.
local function launched_before(keys, life, key)
  local known = redis.call("HGET", keys, key)
  if not known then return nil end
  local its_life, id = string.match(known, "^(%d+) (.+)$")
  local job = find(id)
  if not job or its_life == life then return job and id end
  local goes_on = job[STATUS] <= RUNNING and job[COMMAND] == 0
  return (goes_on or job[STATUS] == SUCCESS) and id
end

-- The job that holds the unique key, if it goes on.
local function holder_of(unique)
  local id = unique ~= "" and redis.call("HGET", prefix .. "unique", unique)
  local job = id and find(id)
  if job and job[COMMAND] ~= 0 then refuse("UNIQUE_ENDS", id) end
  return job and id
end

local function launch_for(parent, id, name, trace, parameters, options)
  launch(id, name, trace, parameters, parent, options)
  add_entry(prefix .. "sub-jobs:" .. parent, id)
  return id
end

transitions["launch-sub-job"] = function(parent_id, token, key, ...)
  local parent = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local keys = prefix .. "sub-job-keys:" .. parent_id
  local life = redis.call("HGET", keys, LIFE) or "0"
  local launched = launched_before(keys, life, key)
  if not launched then
    local options = select(5, ...)
    launched = options ~= "" and holder_of(cjson.decode(options).unique) or launch_for(parent_id, ...)
    parent[PARENT] = YES
    -- its stop or cancel was passed on without this one
    if parent[COMMAND] ~= 0 then pass_on(parent_id, parent, parent[COMMAND]) end
    save(parent_id, parent)
  end
  redis.call("HSET", keys, key, life .. " " .. launched)
  return shown(launched, load(launched))
end
