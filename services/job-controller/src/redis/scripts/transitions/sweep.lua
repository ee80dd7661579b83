-- sweep: removes jobs that have stood in a final status longer than its keep time, with all that belongs to them.
-- needs: call/context, record/hook-statuses, hooks/state, life/launch, life/removal
-- reads: hook-events
-- arguments: status, the time before which it must have been reached in ms, the same for a job whose hook has failed,
--   how many at most
-- reply: how many entries were looked at

-- A job stays as long as its request is answered with it, while its hook has an event to be sent, and for some time after the
-- hook failed or is gone.
local function is_needed(id, job, hooks_before)
  if job.request ~= "" and context.now < job.enqueued + launch.REQUEST_MS then return true end
  if job.hook_status == hook_statuses.NONE or job.hook_status == hook_statuses.DELIVERED then return false end
  return job.status_time >= hooks_before or redis.call("EXISTS", state.events_of(id)) == 1
end

return function(status, before, hooks_before, limit)
  hooks_before = tonumber(hooks_before)
  return (removal.run(tonumber(status), tonumber(before), limit, function(id, job)
    return is_needed(id, job, hooks_before)
  end))
end
