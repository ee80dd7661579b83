-- returns: how a job that did not end comes back from its worker.
-- needs: call/context, record/statuses, life/moves, life/finish, queue/waiting, lease/held
-- needs at times: life/losses
-- gives: give_back, unfinished, lost, all_lost
-- reads: held

-- Puts the job to the front of its queue, and stores it; no attempt is used. If it was to end, it ends.
local function give_back(id, job)
  local command = job.command
  held.let_go(id, job)
  job.attempt = job.attempt - 1
  -- results under the old token are refused from now on
  job.token = moves.next_token(job)
  if command ~= 0 then
    finish.by_command(id, job, command)
  else
    moves.change(job, statuses.PENDING)
    waiting.enqueue(id, job, "front")
  end
  moves.save(id, job)
end

local function count_loss(id, job)
  local is_cause = modules["life/losses"].note(id, job)
  if job.command ~= 0 or not is_cause then return give_back(id, job) end
  local text = "its worker was lost " .. job.crashes .. " times in the middle of this job"
  job.error = { "WORKER_LOST", text, job.attempt, context.now }
  held.let_go(id, job)
  job.token = moves.next_token(job)
  finish.job(id, job, statuses.ERROR)
  moves.save(id, job)
end

-- The worker was assigned the job and does not have it, or goes by plan.
local function unfinished(id, worker)
  held.with_job(id, worker, give_back)
end

-- The worker was lost in the middle of the job; a job that is taken for the cause is in ERROR.
local function lost(id, worker)
  held.with_job(id, worker, count_loss)
end

-- The same for up to that many of the worker's jobs; returns how many.
local function all_lost(worker, limit)
  local ids = redis.call("HRANDFIELD", held.key_of(worker), limit)
  for _, id in ipairs(ids) do lost(id, worker) end
  return #ids
end

return { give_back = give_back, unfinished = unfinished, lost = lost, all_lost = all_lost }
