-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, a job of another shard or empty and its status and command as they were found there (0
--   and 0 when it is gone), 1 when the pool is full or 0, how the unique key stands in its own shard when that is another
--   one and by what (see reserve-key) or both empty, id, name, traceparent, parameters, options as JSON or empty
-- reply: the job, or the one that holds its unique key; of one in another shard its id, and 0 when the key stands for it
--   or 1 when that depends on how it stands there; nothing when the key stands for none and the pool is full
-- errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED
-- Among the keys of a job's sub-jobs, which are never empty: how often the job was retried. Each retry begins another life.
local LIFE = ""

-- Whether a job that a former life of its parent asked for counts in this one: it succeeded, or is alive and not to end.
local function outlives(job)
  return job[STATUS] == SUCCESS or (job[STATUS] <= RUNNING and job[COMMAND] == 0)
end

-- The job that holds the unique key, if it goes on.
local function holder_of(unique, hold, by)
  local state, holder = key_state(unique, hold, by)
  if state == "ends" then refuse("UNIQUE_ENDS", holder) end
  return state == "held" and holder
end

local function launch_for(parent_id, parent, hold, by, id, name, trace, parameters, options)
  local with = read_options(options)
  local launched = holder_of(with.unique, hold, by)
  if not launched then
    launch(id, name, trace, parameters, parent_id, with, hold, by)
    add_sub_job(parent_id, id)
  end
  parent[PARENT] = YES
  -- its stop or cancel was passed on without this one
  if parent[COMMAND] ~= 0 then pass_on(parent_id, parent, parent[COMMAND]) end
  save(parent_id, parent)
  return launched or id
end

transitions["launch-sub-job"] = function(parent_id, token, key, seen, status, command, full, ...)
  local parent = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local keys = prefix .. "sub-job-keys:" .. parent_id
  local life = redis.call("HGET", keys, LIFE) or "0"
  local its_life, known = string.match(redis.call("HGET", keys, key) or "", "^(%d+) (.+)$")
  local job = known and find(known)
  if known and is_elsewhere(known, parent_id) then
    if known ~= seen then return { known, its_life == life and 0 or 1 } end
    job = status ~= "0" and { [STATUS] = tonumber(status), [COMMAND] = tonumber(command) }
  end
  local launched = job and (its_life == life or outlives(job)) and known
  if not launched and full == "1" then return {} end
  launched = launched or launch_for(parent_id, parent, ...)
  -- what is known is answered without a write, for which Redis may have no memory
  if launched ~= known or its_life ~= life then redis.call("HSET", keys, key, life .. " " .. launched) end
  if is_elsewhere(launched, parent_id) then return { launched, 0 } end
  return shown(launched, load(launched))
end
