-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, id, name, traceparent, parameters, options as JSON or empty
-- reply: the id, the job and its parameters; errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_TAKEN
transitions["launch-sub-job"] = function(parent_id, token, key, id, name, trace, parameters, options)
  local parent, parent_parameters = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local launched = redis.call("HGET", prefix .. "sub-job-keys:" .. parent_id, key)
  if not launched or redis.call("HEXISTS", jobs, launched) == 0 then
    launched = launch(id, name, trace, parameters, parent_id, options)[1]
    redis.call("HSET", prefix .. "sub-job-keys:" .. parent_id, key, launched)
    add_entry(prefix .. "sub-jobs:" .. parent_id, launched)
    parent[PARENT] = true
    save(parent_id, parent, parent_parameters)
  end
  local job, own_parameters = load(launched)
  return { launched, job, own_parameters }
end
