-- final: how a job enters a final status.
-- needs: call/context, call/totals, record/statuses, record/kinds, record/index, life/moves
-- needs at times: record/policy-parts, schedule/times, life/patience
-- gives: enter
-- reads: unique
-- writes: unique, expiring, checkpoint

-- Moves the job there; the caller stores it. Does not launch what waits for its end: see finish.job.
local function enter(id, job, to)
  moves.change(job, to)
  totals.ended(job.name)
  job.status_time = context.now
  if job.postponed_since ~= 0 or job.crashes ~= 0 then modules["life/patience"].clear(id, job) end
  local sequence, entry = index.add(index.ended(to), id)
  job.end_sequence = sequence
  if entry then job.end_entry = entry end
  local unique, policy = job.unique, job.policy
  if unique ~= "" and redis.call("HGET", context.prefix .. "unique", unique) == id then
    redis.call("HDEL", context.prefix .. "unique", unique)
  end
  if policy and policy[modules["record/policy-parts"].QUEUE_LIMIT] > 0 then redis.call("ZREM", context.prefix .. "expiring", id) end
  -- after an error or a cancel, a retry goes on from there
  if job.checkpoint ~= 0 and (to == statuses.SUCCESS or to == statuses.STOPPED) then
    redis.call("UNLINK", context.prefix .. "checkpoint:" .. id)
    job.checkpoint = 0
  end
  if job.kind == kinds.PERIODIC then modules["schedule/times"].end_plan(id) end
end

return { enter = enter }
