-- held: the jobs that a worker holds. Its hash has for each job id a mark: the token, or "token:command:time" while a command
-- is open.
-- needs: call/context, call/isolate, call/signals, record/codes, queue/limits
-- gives: key_of, open_command, compare, with_job, let_go
-- reads: held
-- writes: held, running
local held = {}

function held.key_of(worker)
  return context.prefix .. "held:" .. worker
end

-- The open command of a mark as id, token and command; nil when there is none.
function held.open_command(id, mark)
  local token, command = string.match(mark, "^(%d+):(%d)")
  return token and { id, tonumber(token), tonumber(command) }
end

-- Compares the leases that the worker names, id and token in turn, with what it holds: 1 or 0 for each, and by id of those
-- that it does hold the position of its 1.
function held.compare(worker, named)
  local verdicts, kept = {}, {}
  for at = 1, #named, 2 do
    local mark = redis.call("HGET", held.key_of(worker), named[at])
    local is_held = mark and string.match(mark, "^%d+") == named[at + 1]
    verdicts[#verdicts + 1] = is_held and 1 or 0
    if is_held then kept[named[at]] = #verdicts end
  end
  return verdicts, kept
end

-- Runs work(id, job) with a job that the worker holds. A job that is not its own any more, or whose fault is isolated, is taken
-- off its list: a worker with one of those must be able to come and go.
function held.with_job(id, worker, work)
  local is_held
  local done = isolate.job(id, function(_, job)
    is_held = job and job.status == codes.status.RUNNING and job.worker == worker
    if is_held then work(id, job) end
  end)
  if not done or not is_held then redis.call("HDEL", held.key_of(worker), id) end
end

-- Takes a RUNNING job from its worker; the caller moves it on.
function held.let_go(id, job)
  redis.call("HDEL", held.key_of(job.worker), id)
  job.command = 0
  if job.limited == 0 then return end
  job.limited = 0
  redis.call("ZREM", limits.running_of(job.name), job.fairness .. " " .. id)
  -- others may have waited for that, in another shard perhaps, and no free slot tells of it
  signals.ready(job.name)
end

return held
