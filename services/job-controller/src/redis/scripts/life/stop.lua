-- stop: how a stop or cancel ends a job.
-- needs: call/context, record/statuses, record/kinds, record/commands, life/finish
-- needs at times: call/signals, lease/held, queue/waiting, schedule/executions
-- gives: job
-- writes: held, scheduled

-- Notes the command for its worker to confirm; false when one that is as strong is open.
local function ask_worker(id, job, command)
  if job.command == commands.STOP or job.command == command then return false end
  job.command = command
  redis.call("HSET", modules["lease/held"].key_of(job.worker), id, job.token .. ":" .. command .. ":" .. context.now)
  modules["call/signals"].command(job.worker, id, job.token, command)
  return true
end

-- Ends a job that has not ended; the caller stores it. False when there was nothing to do.
local function stop_job(id, job, command)
  if job.status == statuses.RUNNING then return ask_worker(id, job, command) end
  if job.status == statuses.PENDING then
    modules["queue/waiting"].leave(id, job)
  elseif job.status == statuses.SCHEDULED then
    redis.call("ZREM", context.prefix .. "scheduled", id)
  else
    return false
  end
  if job.kind == kinds.PERIODIC then modules["schedule/executions"].leave_out_waiting(id) end
  finish.by_command(id, job, command)
  return true
end

return { job = stop_job }
