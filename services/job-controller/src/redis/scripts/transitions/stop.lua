-- stop: ends a waiting job at once; for a running one notes the command, which its worker confirms. The jobs that it launched
-- are ended a little later, by end-sub-jobs.
-- needs: call/context, record/statuses, record/commands, record/shown, record/store, life/moves, life/stop, life/children
-- arguments: id, command (1 stop, 2 cancel)
-- reply: the job
-- errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS

return function(id, command)
  local job = store.load(id)
  command = tonumber(command)
  local target = command == commands.STOP and statuses.STOPPED or statuses.CANCELLED
  if stop.job(id, job, command) then
    children.pass_on(id, job, command)
    moves.save(id, job)
  elseif job.status ~= statuses.RUNNING and job.status ~= target then
    context.refuse("JOB_STATUS_FORBIDS", moves.forbidden("end", job))
  end
  return shown.job(id, job)
end
