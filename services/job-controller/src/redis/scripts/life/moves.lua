-- moves: how a job changes its status, what is compared before and which event its status hook gets.
-- needs: call/context, record/statuses, record/store
-- needs at times: hooks/outbox, lease/sessions
-- gives: save, change, count_child, standing, forbidden, check_in, next_token
-- writes: sub-job-totals

local now = context.now

-- Stores the job with a new revision, which watchers see.
local function save(id, job)
  job.revision = job.revision + 1
  -- the clock of another controller may be ahead
  if now > job.updated then job.updated = now end
  -- what changed that is an event of its status hook: "status" or "check-in"
  local what = job.news
  if what then
    job.news = false
    if job.hook ~= "" then modules["hooks/outbox"].tell(id, job, what) end
  end
  store.put(id, job)
end

-- Adds `by` to the number of the parent's children in the status, if the job has a parent whose record is kept.
local function count_child(job, status, by)
  if job.upstream ~= "" and store.is_known(job.upstream) then
    redis.call("HINCRBY", context.prefix .. "sub-job-totals:" .. job.upstream, status, by)
  end
end

local function change(job, to)
  if job.upstream ~= "" then
    count_child(job, job.status, -1)
    count_child(job, to, 1)
  end
  job.status, job.news = to, "status"
end

-- The verdict on an operation that a worker's process asks for under a token: "held", or the one that refuses it. Nobody has ever
-- claimed a job with token 0.
local function standing(job, token, incarnation)
  if job.token == 0 or job.token ~= tonumber(token) then return "stale" end
  if not modules["lease/sessions"].is_process(job.worker, incarnation) then return "stale" end
  return job.status == statuses.RUNNING and "held" or "duplicate"
end

-- Tokens grow with time, so that none repeats even when Redis has lost the writes that made the last ones, as long as no clock
-- of a controller is ahead by more than the loss took.
local function next_token(job)
  return job.token < now and now or job.token + 1
end

-- What is asked of a job whose status or kind does not allow it, for the refusal.
local function forbidden(asked, job)
  return asked .. " " .. job.status .. " " .. job.kind
end

local function check_in(job, text, phase, percent)
  if text ~= "" then
    job.check_in, job.check_in_at, job.news = text, now, "check-in"
  end
  if phase ~= "" then job.phase, job.percent = phase, tonumber(percent) end
end

return { save = save, change = change, count_child = count_child, standing = standing, forbidden = forbidden,
  check_in = check_in, next_token = next_token }
