-- start: how a waiting job comes to run: status, token and attempt change, and the reply has what the worker needs for the run.
-- needs: call/context, record/statuses, record/tables, record/store, life/moves
-- needs at times: call/isolate, record/policy-parts, record/trace, queue/limits, log/chunks
-- gives: isolated
-- writes: running, expiring

-- Everything that may be unreadable is read before anything is written: a fault must not cost the jobs popped with this one.
local function take(id, worker, is_limited, marks, reply)
  local job = store.find(id)
  if not job or job.status ~= statuses.PENDING then return end
  local policy, was_claimed = job.policy, job.token > 0
  moves.change(job, statuses.RUNNING)
  job.token, job.attempt, job.started, job.worker = moves.next_token(job), job.attempt + 1, context.now, worker
  if is_limited then
    job.limited = 1
    redis.call("ZADD", modules["queue/limits"].running_of(job.name), 0, job.fairness .. " " .. id)
  end
  moves.save(id, job)
  local count = #marks
  marks[count + 1], marks[count + 2] = id, context.number_text(job.token)
  local run_limit = 0
  if policy then
    local parts = modules["record/policy-parts"]
    run_limit = policy[parts.RUN_LIMIT]
    if policy[parts.QUEUE_LIMIT] > 0 then redis.call("ZREM", context.prefix .. "expiring", id) end
  end
  local traceparent = job.trace == "" and "" or modules["record/trace"].to_text(job.trace)
  local length = was_claimed and modules["log/chunks"].length(id) or 0
  reply[#reply + 1] = { id, job.token, job.name, job.attempt, length, traceparent, run_limit, tables.parameters_of(job) }
end

-- A function that takes a job of a lane and isolates its fault. It adds to `returned` a job of a later version, which goes behind the
-- others of its lane.
local function isolated(worker, is_limited, marks, reply, returned)
  local id
  local function take_it() return take(id, worker, is_limited, marks, reply) end
  return function(name, lane, next_id)
    id = next_id
    local done, fault = xpcall(take_it, context.caught)
    if done or not modules["call/isolate"].note(id, fault) then return end
    returned[#returned + 1] = { name, lane, id }
  end
end

return { isolated = isolated }
