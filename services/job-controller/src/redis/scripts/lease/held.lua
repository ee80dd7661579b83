-- held: the jobs that a worker holds. Its hash has for each job id a mark: the token, or "token:command:time" while a command
-- is open.
-- needs: call/context, call/undo, record/statuses
-- needs at times: call/isolate, call/signals, queue/limits
-- gives: key_of, with_job, let_go
-- writes: held, running

-- by worker: the ids that it does not hold any more and whose marks are still there
local released = {}

local function remove_marks(worker)
  local ids = released[worker]
  released[worker] = nil
  if not ids or #ids == 0 then return end
  -- a fault of one worker's hash must not fail the others
  local removed = redis.pcall("HDEL", context.prefix .. "held:" .. worker, unpack(ids))
  if type(removed) ~= "table" then return end
  for _, id in ipairs(ids) do context.faults[#context.faults + 1] = { id, "held:" .. worker .. ": " .. removed.err } end
end

-- The hash of a worker, without the marks of what it does not hold any more.
local function key_of(worker)
  remove_marks(worker)
  return context.prefix .. "held:" .. worker
end

-- Runs work(id, job) with a job that the worker holds. A job that is not its own any more, or whose fault is isolated, is taken
-- off its list: a worker with one of those must be able to come and go. A job of a later version stays for a later controller.
local function with_job(id, worker, work)
  local is_held
  local done, stays = modules["call/isolate"].job(id, function(_, job)
    is_held = job and job.status == statuses.RUNNING and job.worker == worker
    if is_held then work(id, job) end
  end)
  if stays then return end
  if not done or not is_held then redis.call("HDEL", key_of(worker), id) end
end

-- Takes a RUNNING job from its worker; the caller moves it on. The marks of a call are removed together.
local function let_go(id, job)
  local worker = job.worker
  local ids = released[worker]
  if not ids then
    ids = {}
    released[worker] = ids
    context.afterwards[#context.afterwards + 1] = function() remove_marks(worker) end
  end
  undo.set(ids, #ids + 1, id)
  job.command = 0
  if job.limited == 0 then return end
  job.limited = 0
  redis.call("ZREM", modules["queue/limits"].running_of(job.name), job.fairness .. " " .. id)
  -- jobs may wait for this room, also in another shard, where no free slot leads to a claim
  modules["call/signals"].ready(job.name)
end

return { key_of = key_of, with_job = with_job, let_go = let_go }
