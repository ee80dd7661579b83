-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, id, name, traceparent, parameters, options as JSON or empty
-- reply: the job; errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_TAKEN
-- Among the keys of a job's sub-jobs, which are never empty: when the job was last retried.
local RETRIED_AT = ""

-- The job that the key stands for, unless it is gone, or ended without success in a former life of its parent.
local function launched_before(parent_id, key)
  local keys = prefix .. "sub-job-keys:" .. parent_id
  local id = redis.call("HGET", keys, key)
  local job = find(id or "")
  if not job then return nil end
  local is_over = job[STATUS] == STOPPED or job[STATUS] == CANCELLED or job[STATUS] == ERRED
  if is_over and job[ENDED] <= tonumber(redis.call("HGET", keys, RETRIED_AT) or -1) then return nil end
  return id
end

transitions["launch-sub-job"] = function(parent_id, token, key, id, name, trace, parameters, options)
  local parent = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local launched = launched_before(parent_id, key)
  if not launched then
    launched = launch(id, name, trace, parameters, parent_id, options)[1]
    redis.call("HSET", prefix .. "sub-job-keys:" .. parent_id, key, launched)
    add_entry(prefix .. "sub-jobs:" .. parent_id, launched)
    parent[PARENT] = YES
    -- its stop or cancel was passed on without this one
    if parent[COMMAND] ~= 0 then redis.call("HSET", prefix .. "ending", parent_id, parent[COMMAND] .. ":-") end
    save(parent_id, parent)
  end
  return shown(launched, load(launched))
end
