-- put-report: stores the report of a running job; it may be kept longer than the job.
-- arguments: id, token, report, how long it is kept in seconds
-- reply: "OK"; errors: JOB_NOT_FOUND, LEASE_LOST
transitions["put-report"] = function(id, token, report, seconds)
  if standing(load(id), token) ~= "held" then refuse("LEASE_LOST", id) end
  redis.call("SET", prefix .. "report:" .. id, report, "EX", seconds)
  return "OK"
end
