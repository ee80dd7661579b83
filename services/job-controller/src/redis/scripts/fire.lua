-- fire: launches the job of a periodic job's due time. Of all controllers that try, one succeeds.
-- arguments: periodic job, the time that is due, the new job's id, when it is to run or 0 to launch none,
--   the next time or 0 for the end, how many times were missed, what to do while the job before is alive
-- reply: 1 when this call settled the time, 0 when another one had
local function launch_due(id, job, new_id, run_at, overlap)
  if overlap == "ALLOW" or alive(id) == 0 then
    launch_execution(id, job, new_id, run_at)
  elseif overlap ~= "QUEUE_ONE" or not wait_for_end(id, new_id, run_at) then
    count_fired(id, "skipped", 1)
  end
end

transitions.fire = function(id, due, new_id, run_at, next_at, missed, overlap)
  local periodic = prefix .. "periodic"
  if tonumber(redis.call("ZSCORE", periodic, id) or -1) ~= tonumber(due) then return 0 end
  local job = load(id)
  run_at, next_at, missed = tonumber(run_at), tonumber(next_at), tonumber(missed)
  if missed > 0 then count_fired(id, "missed", missed) end
  if run_at > 0 then launch_due(id, job, new_id, run_at, overlap) end
  if next_at > 0 then
    plan(id, job, next_at)
  elseif is_one_waiting(id) then
    job[RUN_AT] = 0
    redis.call("ZADD", periodic, "+inf", id)
  else
    finish(id, job, STOPPED)
  end
  save(id, job)
  return 1
end
