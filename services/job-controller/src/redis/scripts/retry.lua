-- retry: brings a job back that is CANCELLED or in ERROR.
-- arguments: id, how its unique key stands in its own shard when that is another one and by what (see reserve-key), or
--   both empty
-- reply: the job; errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS, UNIQUE_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED
transitions.retry = function(id, hold, by)
  local job = load(id)
  local can_retry = job[KIND] ~= PERIODIC and (job[STATUS] == CANCELLED or job[STATUS] == ERRED)
  if not can_retry then refuse("JOB_STATUS_FORBIDS", forbidden("retry", job)) end
  check_unique(id, job[UNIQUE], hold, by)
  if job[UNIQUE] ~= "" then redis.call("HSET", prefix .. "unique", job[UNIQUE], id) end
  redis.call("XDEL", ended_stream(job[STATUS]), entry_of(job[ENDED], job[END_PLACE], job[END_ENTRY]))
  move(job, PENDING)
  job[ATTEMPT], job[CRASHES], job[RUN_AT], job[ENDED], job[STARTED] = 0, 0, 0, 0, 0
  job[CHECK_IN], job[CHECK_IN_AT], job[PHASE], job[PERCENT] = "", 0, "", 0
  -- results of the former life are not those of the new one
  job[TOKEN] = job[TOKEN] + 1
  wait_for_first_run(id, job, now)
  -- what is not ended yet of the jobs that it launched belongs to its new life
  redis.call("HDEL", prefix .. "ending", id)
  if job[PARENT] == YES then redis.call("HINCRBY", prefix .. "sub-job-keys:" .. id, LIFE, 1) end
  enqueue(id, job, "back")
  save(id, job)
  return shown(id, job)
end
