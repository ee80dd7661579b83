-- claim: takes waiting jobs for a worker, in the order of the names; status, token and lease change together.
-- arguments: worker, incarnation, session, limit, then for each job type its name and how many may run over all workers, or 0
-- reply: whether more may be waiting (0 or 1), then for each job id, token, name, attempt, log length, trace,
--   limit of the run in ms or 0, parameters; errors: WORKER_SUPERSEDED, LEASE_LOST
local MOST_POPPED = 500

local function log_length(id)
  local last = redis.call("XREVRANGE", prefix .. "log:" .. id, "+", "-", "COUNT", 1)[1]
  return last and tonumber(string.match(last[1], "^%d+")) or 0
end

local function take(id, worker, reply)
  local record = redis.call("HGET", jobs, id)
  if not record then return end
  local offset, job = cmsgpack.unpack_one(record)
  -- a job that was stopped while it waited leaves its id in the queue
  if job[STATUS] ~= PENDING then return end
  local parameters, policy = string.sub(record, offset + 1), job[POLICY]
  move(job, RUNNING)
  job[TOKEN], job[ATTEMPT], job[STARTED], job[WORKER] = job[TOKEN] + 1, job[ATTEMPT] + 1, now, worker
  save(id, job, parameters)
  redis.call("HSET", prefix .. "held:" .. worker, id, job[TOKEN])
  if policy and policy[5] > 0 then redis.call("ZREM", prefix .. "expiring", id) end
  local length = job[TOKEN] > 1 and log_length(id) or 0
  local run_limit = policy and policy[4] or 0
  reply[#reply + 1] = { id, job[TOKEN], job[NAME], job[ATTEMPT], length, job[TRACE], run_limit, parameters }
end

-- How many more jobs of the type may run: those that run are counted in the same script that makes them run.
local function room(name, most)
  if redis.call("SISMEMBER", prefix .. "paused", name) == 1 then return 0 end
  if most == 0 then return MOST_POPPED end
  local field = name .. ":" .. RUNNING
  return most - tonumber(redis.call("HGET", counts, field) or 0) - (changes[field] or 0)
end

transitions.claim = function(worker, incarnation, session, limit, ...)
  check_worker(worker, incarnation, session)
  local names, reply, popped = { ... }, { 0 }, 0
  limit = tonumber(limit)
  for at = 1, #names, 2 do
    local most = tonumber(names[at + 1])
    local wanted = math.min(limit + 1 - #reply, room(names[at], most), MOST_POPPED - popped)
    while wanted > 0 do
      local ids = pop(names[at], wanted)
      if not ids then break end
      popped = popped + #ids
      for _, id in ipairs(ids) do take(id, worker, reply) end
      wanted = math.min(limit + 1 - #reply, room(names[at], most), MOST_POPPED - popped)
    end
    if #reply > limit or popped >= MOST_POPPED then reply[1] = 1 end
  end
  return reply
end
