-- reap: takes back the jobs of workers whose lease has ended, to the front of their queues; the third loss is an ERROR.
-- Time in which nobody looked at the leases counts against no worker: first, all get a whole one whose lease had not ended.
-- arguments: how many steps at most: each job is one, and so is a worker without any; lease in ms; after how many ms without
--   a look nobody watched
-- reply: how many steps it took, all of them while there are leases to give
-- How often a worker may be lost in the middle of a job before the job is taken for the cause.
local MAX_CRASHES = 3

local function count_loss(id, job)
  job[CRASHES] = job[CRASHES] + 1
  if job[COMMAND] == 0 and job[CRASHES] >= MAX_CRASHES then
    local text = "the worker was lost " .. MAX_CRASHES .. " times in the middle of this job"
    job[ERROR] = { "WORKER_LOST", text, job[ATTEMPT], now }
    let_go(id, job)
    job[TOKEN] = job[TOKEN] + 1
    finish(id, job, ERRED)
  else
    give_back(id, job)
  end
  save(id, job)
end

local function lose(id, worker)
  with_held(id, worker, count_loss)
end

local function lose_all(worker, limit)
  local held = redis.call("HRANDFIELD", prefix .. "held:" .. worker, limit)
  for _, id in ipairs(held) do lose(id, worker) end
  return #held
end

transitions.reap = function(limit, lease, unwatched)
  local done = 0
  limit = tonumber(limit)
  if not watch_leases(tonumber(lease), tonumber(unwatched)) then return limit end
  for _, worker in ipairs(redis.call("ZRANGEBYSCORE", leases, "-inf", now, "LIMIT", 0, limit)) do
    done = done + math.max(1, lose_all(worker, limit - done))
    if redis.call("EXISTS", prefix .. "held:" .. worker) == 0 then
      remember(worker, redis.call("HGET", workers, worker))
      redis.call("ZREM", leases, worker)
      redis.call("HDEL", workers, worker)
    end
    if done >= limit then break end
  end
  return done
end
