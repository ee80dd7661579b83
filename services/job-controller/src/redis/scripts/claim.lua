-- claim: takes waiting jobs for a worker, in the order of the names; status, token and lease change together.
-- arguments: worker, incarnation, session, limit, a rank to take from or empty, the lane of the first type to go on behind or
--   empty, then for each job type its name, how many may run over all workers or 0, how many of one fairness key or 0, and what runs in other shards
--   or empty, as JSON: {until_ms, total, keys}, where keys are counts by fairness key, and nothing is taken after that time
--   of Redis' clock
-- reply: whether more may be waiting (0 or 1), how many types are done with, the lane of the next one to go on behind or
--   empty, then for each job id, token, name, attempt, log length, trace, limit of the run in ms or 0, parameters
-- errors: WORKER_SUPERSEDED, LEASE_LOST
local MOST_POPPED = 500

local function log_length(id)
  local last = redis.call("XREVRANGE", prefix .. "log:" .. id, "+", "-", "COUNT", 1)[1]
  return last and tonumber(string.match(last[1], "^%d+")) or 0
end

-- A fault must not cost those that were popped with it; a record and its details are read before anything is written.
local function take(id, worker, is_limited, marks, reply)
  local job = find(id)
  if not job or job[STATUS] ~= PENDING then return end
  local policy = job[POLICY]
  move(job, RUNNING)
  job[TOKEN], job[ATTEMPT], job[STARTED], job[WORKER] = job[TOKEN] + 1, job[ATTEMPT] + 1, now, worker
  if is_limited then
    job[LIMITED] = YES
    redis.call("ZADD", running_of(job[NAME]), 0, job[FAIRNESS] .. " " .. id)
  end
  save(id, job)
  marks[#marks + 1], marks[#marks + 2] = id, job[TOKEN]
  if policy and policy[5] > 0 then redis.call("ZREM", prefix .. "expiring", id) end
  local length, run_limit = job[TOKEN] > 1 and log_length(id) or 0, policy and policy[4] or 0
  reply[#reply + 1] = { id, job[TOKEN], job[NAME], job[ATTEMPT], length, job[TRACE], run_limit, parameters_of(job) }
end

transitions.claim = function(worker, incarnation, session, limit, rank, passed, ...)
  check_worker(worker, incarnation, session)
  local types, marks, reply, popped, left = { ... }, {}, { 0, 0, "" }, 0, MOST_PASSED
  limit, rank = tonumber(limit) + #reply, tonumber(rank)
  for at = 1, #types, 4 do
    local name, most, most_of_key = types[at], tonumber(types[at + 1]), tonumber(types[at + 2])
    local room, room_of = rooms(name, most, most_of_key, types[at + 3])
    local walk = room_of and walk_over(name, rank, passed, left)
    while popped < MOST_POPPED do
      local wanted = math.min(limit - #reply, room(), MOST_POPPED - popped)
      local ids = wanted > 0 and pop(name, wanted, rank, room_of, walk)
      if not ids then break end
      popped = popped + #ids
      for _, id in ipairs(ids) do
        local done, fault = pcall(take, id, worker, most > 0 or most_of_key > 0, marks, reply)
        if not done then faults[#faults + 1] = { id, tostring(fault) } end
      end
    end
    if #reply >= limit or popped >= MOST_POPPED then reply[1] = 1 end
    left, passed = walk and walk.left or left, walk and walk.left <= 0 and walk.passed or ""
    if passed == "" then reply[2] = reply[2] + 1 end
    if left <= 0 then break end
  end
  reply[3] = passed
  if #marks > 0 then redis.call("HSET", prefix .. "held:" .. worker, unpack(marks)) end
  return reply
end
