-- retry: brings a job back that is CANCELLED or in ERROR.
-- arguments: id
-- reply: the job; errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS
transitions.retry = function(id)
  local job, parameters = load(id)
  if job[STATUS] ~= CANCELLED and job[STATUS] ~= ERRED then refuse("JOB_STATUS_FORBIDS", job[STATUS]) end
  move(job, PENDING)
  job[ATTEMPT], job[CRASHES], job[RUN_AT], job[ENDED], job[STARTED] = 0, 0, 0, 0, 0
  job[CHECK_IN], job[CHECK_IN_AT], job[PHASE], job[PERCENT] = "", 0, "", 0
  -- results of the former life are not those of the new one
  job[TOKEN] = job[TOKEN] + 1
  save(id, job, parameters)
  enqueue(id, job, "RPUSH")
  return { id, job, parameters }
end
