-- retry: brings a job back that is CANCELLED or in ERROR.
-- needs: call/context, record/statuses, record/kinds, record/index, record/shown, record/store, unique/keys, queue/waiting,
--   schedule/times, life/moves, life/children
-- writes: unique, ended
-- arguments: id, how its unique key stands in its own shard when that is another one and by what (see unique/reserve), or
--   both empty
-- reply: the job
-- errors: JOB_NOT_FOUND, JOB_STATUS_FORBIDS, UNIQUE_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED

return function(id, hold, by)
  local job = store.load(id)
  local has_ended = job.status == statuses.CANCELLED or job.status == statuses.ERROR
  if job.kind == kinds.PERIODIC or not has_ended then
    context.refuse("JOB_STATUS_FORBIDS", moves.forbidden("retry", job))
  end
  keys.check(id, job.unique, hold, by)
  if job.unique ~= "" then redis.call("HSET", context.prefix .. "unique", job.unique, id) end
  redis.call("XDEL", index.ended(job.status), index.entry_of(job.status_time, job.end_sequence, job.end_entry))
  moves.change(job, statuses.PENDING)
  job.attempt, job.crashes, job.status_time, job.started = 0, 0, 0, 0
  job.check_in, job.check_in_at, job.phase, job.percent = "", 0, "", 0
  -- results under the old token are refused from now on
  job.token = moves.next_token(job)
  times.limit_wait(id, job, context.now)
  children.begin_life(id, job)
  waiting.enqueue(id, job, "back")
  moves.save(id, job)
  return shown.job(id, job)
end
