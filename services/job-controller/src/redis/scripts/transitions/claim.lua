-- claim: takes waiting jobs for a worker, in the order of the names; status, token and lease change together.
-- needs: call/context, record/statuses, record/record, record/store, life/moves, queue/limits, queue/rotation,
--   lease/sessions, lease/held
-- needs at times: call/isolate, record/trace, queue/full-lanes, log/stream
-- writes: held, running, expiring
-- arguments: worker, incarnation, session, limit, a rank to take from or empty, the lane of the first type to go on behind or
--   empty, then for each job type its name, how many may run over all workers or 0, how many of one fairness key or 0, and
--   what runs in other shards or empty, as JSON: {until_ms, total, keys}, where keys are counts by fairness key, and nothing
--   is taken after that time of Redis' clock
-- reply: whether more may be waiting (0 or 1), how many types are done with, the lane of the next one to go on behind or
--   empty, then for each job id, token, name, attempt, log length, traceparent, limit of the run in ms or 0, parameters
-- errors: WORKER_SUPERSEDED, LEASE_LOST
local MOST_POPPED = 500

-- Everything that may be unreadable is read before anything is written: a fault must not cost the jobs popped with this one.
local function take(id, worker, is_limited, marks, reply)
  local job = store.find(id)
  if not job or job.status ~= statuses.PENDING then return end
  local policy, was_claimed = job.policy, job.token > 0
  moves.change(job, statuses.RUNNING)
  job.token, job.attempt, job.started, job.worker = moves.next_token(job), job.attempt + 1, context.now, worker
  if is_limited then
    job.limited = 1
    redis.call("ZADD", limits.running_of(job.name), 0, job.fairness .. " " .. id)
  end
  moves.save(id, job)
  marks[#marks + 1], marks[#marks + 2] = id, context.number_text(job.token)
  if policy and policy[5] > 0 then redis.call("ZREM", context.prefix .. "expiring", id) end
  local traceparent = job.trace == "" and "" or modules["record/trace"].to_text(job.trace)
  local length, run_limit = was_claimed and modules["log/stream"].length(id) or 0, policy and policy[4] or 0
  reply[#reply + 1] = { id, job.token, job.name, job.attempt, length, traceparent, run_limit, record.parameters_of(job) }
end

-- A function that takes a job and isolates its fault.
local function isolated(worker, is_limited, marks, reply)
  local id
  local function take_it() take(id, worker, is_limited, marks, reply) end
  return function(next_id)
    id = next_id
    local done, fault = xpcall(take_it, context.caught)
    if not done then modules["call/isolate"].note(id, fault) end
  end
end

return function(worker, incarnation, session, limit, rank, passed, ...)
  sessions.check(worker, incarnation, session)
  local types, marks, reply, popped, left = { ... }, {}, { 0, 0, "" }, 0, nil
  limit, rank = tonumber(limit) + #reply, tonumber(rank)
  for at = 1, #types, 4 do
    local name, most, most_of_key = types[at], tonumber(types[at + 1]), tonumber(types[at + 2])
    local room, room_of = limits.rooms(name, most, most_of_key, types[at + 3])
    local try = isolated(worker, most > 0 or most_of_key > 0, marks, reply)
    local walk = room_of and modules["queue/full-lanes"].walk_over(name, rank, passed, left)
    while popped < MOST_POPPED do
      local wanted = math.min(limit - #reply, room(), MOST_POPPED - popped)
      local ids = wanted > 0 and rotation.pop(name, wanted, rank, room_of, walk)
      if not ids then break end
      popped = popped + #ids
      if #ids > 1 then store.fetch(ids) end
      for _, id in ipairs(ids) do try(id) end
    end
    if #reply >= limit or popped >= MOST_POPPED then reply[1] = 1 end
    left, passed = walk and walk.left or left, walk and walk.left <= 0 and walk.passed or ""
    if passed == "" then reply[2] = reply[2] + 1 end
    if left and left <= 0 then break end
  end
  reply[3] = passed
  if #marks > 0 then redis.call("HSET", held.key_of(worker), unpack(marks)) end
  return reply
end
