-- fire: launches the job of a periodic job's due time. Of all controllers that try, one succeeds.
-- needs: call/context, record/statuses, record/store, life/moves, life/children, life/finish, schedule/times,
--   schedule/executions
-- needs at times: unique/keys
-- reads: periodic
-- writes: periodic
-- arguments: periodic job, the time that is due, the new job's id, when it is to run or 0 to launch none, the time for which
--   it runs, the next time or 0 for the end, how many times were missed, what to do while the job before is alive, the unique
--   key that the new job needs or empty, how that stands in its own shard when that is another one and by what (see
--   unique/reserve) or both empty
-- reply: 0 when another call had settled the time; 1 when this one did, 2 when it also launched the job
-- errors: JOB_NOT_FOUND, ID_TAKEN, UNIQUE_RESERVED
-- when memory is full: refused
local function launch_due(id, job, new_id, run_at, scheduled_for, overlap, unique, hold, by)
  if unique ~= "" and modules["unique/keys"].taken(new_id, unique, hold, by) then
    executions.count(id, "skipped", 1)
  elseif overlap == "ALLOW" or children.alive(id) == 0 then
    executions.launch(id, job, new_id, run_at, scheduled_for, unique, hold, by)
    return true
  elseif overlap ~= "QUEUE_ONE" or not executions.wait_for_end(id, new_id, run_at, scheduled_for) then
    executions.count(id, "skipped", 1)
  end
end

return function(id, due, new_id, run_at, scheduled_for, next_at, missed, ...)
  local periodic = context.prefix .. "periodic"
  if tonumber(redis.call("ZSCORE", periodic, id) or -1) ~= tonumber(due) then return 0 end
  local job = store.load(id)
  run_at, next_at, missed = tonumber(run_at), tonumber(next_at), tonumber(missed)
  local is_launched = run_at > 0 and launch_due(id, job, new_id, run_at, tonumber(scheduled_for), ...)
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
  return is_launched and 2 or 1
end
