-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, id, name, traceparent, parameters
-- reply: the job; errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN
transitions["launch-sub-job"] = function(parent_id, token, key, id, name, trace, parameters)
  local parent, parent_parameters = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local launched = redis.call("HGET", prefix .. "sub-job-keys:" .. parent_id, key)
  if launched then
    local job, own_parameters = load(launched)
    return { launched, job, own_parameters }
  end
  local reply = launch(id, name, trace, parameters, parent_id)
  redis.call("HSET", prefix .. "sub-job-keys:" .. parent_id, key, id)
  redis.call("RPUSH", prefix .. "sub-jobs:" .. parent_id, id)
  parent[PARENT] = true
  save(parent_id, parent, parent_parameters)
  return reply
end
