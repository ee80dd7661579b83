-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job.
-- arguments: parent id, token, key, id, name, traceparent, parameters, options as JSON or empty
-- reply: the job; errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_TAKEN
transitions["launch-sub-job"] = function(parent_id, token, key, id, name, trace, parameters, options)
  local parent = load(parent_id)
  if standing(parent, token) ~= "held" then refuse("LEASE_LOST", parent_id) end
  local launched = redis.call("HGET", prefix .. "sub-job-keys:" .. parent_id, key)
  if not launched or not is_known(launched) then
    launched = launch(id, name, trace, parameters, parent_id, options)[1]
    redis.call("HSET", prefix .. "sub-job-keys:" .. parent_id, key, launched)
    add_entry(prefix .. "sub-jobs:" .. parent_id, launched)
    parent[PARENT] = YES
    save(parent_id, parent)
  end
  return shown(launched, load(launched))
end
