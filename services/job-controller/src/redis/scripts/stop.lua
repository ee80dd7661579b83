-- stop: ends a waiting job at once; for a running one notes the command, which its worker confirms.
-- arguments: id, command (1 stop, 2 cancel)
-- reply: the job; errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS
transitions.stop = function(id, command)
  local job, parameters = load(id)
  command = tonumber(command)
  local target = command == STOP and STOPPED or CANCELLED
  if job[STATUS] == RUNNING then
    -- a stop is stronger than a cancel
    if job[COMMAND] == STOP or job[COMMAND] == command then return { id, job, parameters } end
    job[COMMAND] = command
    redis.call("HSET", prefix .. "held:" .. job[WORKER], id, job[TOKEN] .. ":" .. command .. ":" .. now)
    save(id, job, parameters)
    local call = string.format("command %s %s %.0f %d", job[WORKER], id, job[TOKEN], command)
    redis.call("PUBLISH", prefix .. "signals", call)
    return { id, job, parameters }
  end
  if job[STATUS] == target then return { id, job, parameters } end
  if job[STATUS] ~= PENDING and job[STATUS] ~= SCHEDULED then refuse("JOB_STATUS_FORBIDS", job[STATUS]) end
  -- a pending job's id stays in its queue, where the next claim drops it
  if job[STATUS] == SCHEDULED then redis.call("ZREM", scheduled, id) end
  finish(id, job, target)
  save(id, job, parameters)
  return { id, job, parameters }
end
