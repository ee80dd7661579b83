-- read: a job as it stands, with the first hundred jobs that it launched and how many of them stand where.
-- arguments: id
-- reply: the job, the ids, status and count in turn; errors: JOB_NOT_FOUND
transitions.read = function(id)
  local job, parameters = load(id)
  if not job[PARENT] then return { id, job, parameters } end
  local launched = {}
  for _, entry in ipairs(redis.call("XRANGE", prefix .. "sub-jobs:" .. id, "-", "+", "COUNT", 100)) do
    launched[#launched + 1] = entry[2][2]
  end
  return { id, job, parameters, launched, redis.call("HGETALL", prefix .. "sub-job-totals:" .. id) }
end
