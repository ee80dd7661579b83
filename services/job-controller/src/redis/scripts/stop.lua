-- stop: ends a waiting job at once; for a running one notes the command, which its worker confirms.
-- The jobs that it launched are ended a little later, by end-sub-jobs.
-- arguments: id, command (1 stop, 2 cancel)
-- reply: the job; errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS
local function end_running(id, job, command)
  -- a stop is stronger than a cancel
  if job[COMMAND] == STOP or job[COMMAND] == command then return false end
  job[COMMAND] = command
  redis.call("HSET", prefix .. "held:" .. job[WORKER], id, job[TOKEN] .. ":" .. command .. ":" .. now)
  local call = string.format("command %s %s %.0f %d", job[WORKER], id, job[TOKEN], command)
  redis.call("PUBLISH", prefix .. "signals", call)
  return true
end

-- Ends a job that has not ended; false when there was nothing to do.
local function end_job(id, job, command)
  if job[STATUS] == RUNNING then return end_running(id, job, command) end
  if job[STATUS] ~= PENDING and job[STATUS] ~= SCHEDULED then return false end
  if job[STATUS] == PENDING then leave_lane(id, job) else redis.call("ZREM", scheduled, id) end
  if job[KIND] == PERIODIC then leave_out_waiting(id) end
  finish(id, job, command == STOP and STOPPED or CANCELLED)
  return true
end

transitions.stop = function(id, command)
  local job = load(id)
  command = tonumber(command)
  local target = command == STOP and STOPPED or CANCELLED
  if not end_job(id, job, command) then
    if job[STATUS] ~= RUNNING and job[STATUS] ~= target then refuse("JOB_STATUS_FORBIDS", forbidden("end", job)) end
    return shown(id, job)
  end
  pass_on(id, job, command)
  save(id, job)
  return shown(id, job)
end
