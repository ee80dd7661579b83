-- children: the jobs that a job launched.
-- needs: call/context, record/statuses, record/index, record/store
-- gives: LIFE, add, alive, pass_on, begin_life
-- reads: sub-job-totals, ending
-- writes: sub-jobs, ending, sub-job-keys

-- LIFE is the field of sub-job-keys that counts how often the job was retried: each retry begins another life, with keys of its
-- own. The keys of sub-jobs are never empty.
local LIFE = ""

-- Notes a job that was just launched in its parent's list, under the id that it has in the index, so that the order is the same.
local function add(parent, id)
  local job = store.find(id)
  local entry = index.entry_of(job.enqueued, job.sequence, job.entry)
  redis.call("XADD", context.prefix .. "sub-jobs:" .. parent, entry, "id", id)
end

-- How many have not ended.
local function alive(parent)
  local key = context.prefix .. "sub-job-totals:" .. parent
  local counts = redis.call("HMGET", key, statuses.SCHEDULED, statuses.PENDING, statuses.RUNNING)
  return tonumber(counts[1] or 0) + tonumber(counts[2] or 0) + tonumber(counts[3] or 0)
end

-- Lets end-sub-jobs pass a stop or cancel on to them. A stop is stronger than a cancel.
local function pass_on(id, job, command)
  if job.parent == 0 then return end
  local ending = context.prefix .. "ending"
  local open = redis.call("HGET", ending, id)
  if not open or tonumber(string.sub(open, 1, 1)) > command then
    redis.call("HSET", ending, id, command .. ":-")
  end
end

-- The job is retried: its children that have not ended belong to its new life.
local function begin_life(id, job)
  redis.call("HDEL", context.prefix .. "ending", id)
  if job.parent == 1 then redis.call("HINCRBY", context.prefix .. "sub-job-keys:" .. id, LIFE, 1) end
end

return { LIFE = LIFE, add = add, alive = alive, pass_on = pass_on, begin_life = begin_life }
