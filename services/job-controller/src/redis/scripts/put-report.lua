-- put-report: stores the report of a running job; it may be kept longer than the job.
-- arguments: id, token, the place of the report, which is bytes, how long it is kept in seconds
-- reply: "OK"; errors: JOB_NOT_FOUND, LEASE_LOST
transitions["put-report"] = function(id, token, place, seconds)
  if standing(load(id), token) ~= "held" then refuse("LEASE_LOST", id) end
  redis.call("SET", prefix .. "report:" .. id, bytes_at(place), "EX", seconds)
  return "OK"
end
