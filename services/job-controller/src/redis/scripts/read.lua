-- read: a job as it stands, with the first hundred jobs that it launched.
-- arguments: id
-- reply: the job and the ids; errors: JOB_NOT_FOUND
transitions.read = function(id)
  local job, parameters = load(id)
  local launched = job[PARENT] and redis.call("LRANGE", prefix .. "sub-jobs:" .. id, 0, 99) or {}
  return { id, job, parameters, launched }
end
