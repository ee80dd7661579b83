-- fire: launches the job of a periodic job's due time. Of all controllers that try, one succeeds.
-- needs: call/context, record/statuses, record/store, life/moves, life/children, life/finish, schedule/times,
--   schedule/executions
-- reads: periodic
-- writes: periodic
-- arguments: periodic job, the time that is due, the new job's id, when it is to run or 0 to launch none, the time for which
--   it runs, the next time or 0 for the end, how many times were missed, what to do while the job before is alive
-- reply: 1 when this call settled the time, 0 when another one had
-- errors: JOB_NOT_FOUND, ID_TAKEN
-- when memory is full: refused
local function launch_due(id, job, new_id, run_at, scheduled_for, overlap)
  if overlap == "ALLOW" or children.alive(id) == 0 then
    executions.launch(id, job, new_id, run_at, scheduled_for)
  elseif overlap ~= "QUEUE_ONE" or not executions.wait_for_end(id, new_id, run_at, scheduled_for) then
    executions.count(id, "skipped", 1)
  end
end

return function(id, due, new_id, run_at, scheduled_for, next_at, missed, overlap)
  local periodic = context.prefix .. "periodic"
  if tonumber(redis.call("ZSCORE", periodic, id) or -1) ~= tonumber(due) then return 0 end
  local job = store.load(id)
  run_at, next_at, missed = tonumber(run_at), tonumber(next_at), tonumber(missed)
  if run_at > 0 then launch_due(id, job, new_id, run_at, tonumber(scheduled_for), overlap) end
  if missed > 0 then executions.count(id, "missed", missed) end
  if next_at > 0 then
    times.plan(id, job, next_at)
  elseif executions.is_one_waiting(id) then
    job.status_time = 0
    redis.call("ZADD", periodic, "+inf", id)
  else
    finish.job(id, job, statuses.STOPPED)
  end
  moves.save(id, job)
  return 1
end
