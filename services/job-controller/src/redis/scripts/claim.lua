-- claim: takes waiting jobs for a worker, in the order of the names; status, token and lease change together.
-- arguments: worker, incarnation, limit, names…
-- reply: whether more may be waiting (0 or 1), then for each job id, token, name, attempt, log length, trace, parameters
-- errors: WORKER_SUPERSEDED, LEASE_LOST
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
  local parameters = string.sub(record, offset + 1)
  move(job, RUNNING)
  job[TOKEN], job[ATTEMPT], job[STARTED], job[WORKER] = job[TOKEN] + 1, job[ATTEMPT] + 1, now, worker
  save(id, job, parameters)
  redis.call("HSET", prefix .. "held:" .. worker, id, job[TOKEN])
  local length = job[TOKEN] > 1 and log_length(id) or 0
  reply[#reply + 1] = { id, job[TOKEN], job[NAME], job[ATTEMPT], length, job[TRACE], parameters }
end

transitions.claim = function(worker, incarnation, limit, ...)
  check_worker(worker, incarnation)
  limit = tonumber(limit)
  local reply, popped = { 0 }, 0
  for _, name in ipairs({ ... }) do
    while #reply <= limit and popped < MOST_POPPED do
      local wanted = math.min(limit + 1 - #reply, MOST_POPPED - popped)
      local ids = redis.call("LPOP", prefix .. "ready:" .. name, wanted)
      if not ids then break end
      popped = popped + #ids
      for _, id in ipairs(ids) do take(id, worker, reply) end
      if #ids < wanted then break end
    end
    if #reply > limit or popped >= MOST_POPPED then
      reply[1] = 1
      break
    end
  end
  return reply
end
