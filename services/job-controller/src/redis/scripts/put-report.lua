-- put-report: stores the report of a running job.
-- arguments: id, token, report
-- reply: "OK"; errors: JOB_NOT_FOUND, LEASE_LOST
transitions["put-report"] = function(id, token, report)
  if standing(load(id), token) ~= "held" then refuse("LEASE_LOST", id) end
  redis.call("SET", prefix .. "report:" .. id, report)
  return "OK"
end
