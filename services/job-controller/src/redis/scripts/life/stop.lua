-- stop: how a stop or cancel ends a job.
-- needs: call/context, call/signals, record/codes, life/finish, queue/lanes, schedule/executions
-- gives: job
-- writes: held, scheduled
local stop = {}
local status = codes.status

-- Notes the command for its worker to confirm; false when one that is as strong is open.
local function ask_worker(id, job, command)
  if job.command == codes.command.STOP or job.command == command then return false end
  job.command = command
  redis.call("HSET", context.prefix .. "held:" .. job.worker, id, job.token .. ":" .. command .. ":" .. context.now)
  signals.command(job.worker, id, job.token, command)
  return true
end

-- Ends a job that has not ended; the caller stores it. False when there was nothing to do.
function stop.job(id, job, command)
  if job.status == status.RUNNING then return ask_worker(id, job, command) end
  if job.status == status.PENDING then
    lanes.leave(id, job)
  elseif job.status == status.SCHEDULED then
    redis.call("ZREM", context.prefix .. "scheduled", id)
  else
    return false
  end
  if job.kind == codes.kind.PERIODIC then executions.leave_out_waiting(id) end
  finish.by_command(id, job, command)
  return true
end

return stop
