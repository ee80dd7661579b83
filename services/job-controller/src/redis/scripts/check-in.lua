-- check-in: notes what a running job's handler says.
-- arguments: id, token, text or empty, phase or empty, percent
-- reply: "OK"; errors: JOB_NOT_FOUND, LEASE_LOST
transitions["check-in"] = function(id, token, text, phase, percent)
  local job = load(id)
  if standing(job, token) ~= "held" then refuse("LEASE_LOST", id) end
  check_in(job, text, phase, percent)
  save(id, job)
  return "OK"
end
