-- children: the jobs that a job launched.
-- needs: call/context, record/codes, record/index, record/store
-- gives: LIFE, add, alive, pass_on, begin_life
-- reads: sub-job-totals, ending
-- writes: sub-jobs, ending, sub-job-keys

-- LIFE is the field of sub-job-keys that counts how often the job was retried: each retry begins another life, with keys of its
-- own. The keys of sub-jobs are never empty.
local children = { LIFE = "" }
local status = codes.status

-- Notes a job that was just launched in its parent's list, under the id that it has in the index, so that the order is the same.
function children.add(parent, id)
  local job = store.find(id)
  local entry = index.entry_of(job.enqueued, job.place, job.entry)
  redis.call("XADD", context.prefix .. "sub-jobs:" .. parent, entry, "id", id)
end

-- How many have not ended.
function children.alive(parent)
  local key = context.prefix .. "sub-job-totals:" .. parent
  local counts = redis.call("HMGET", key, status.SCHEDULED, status.PENDING, status.RUNNING)
  return tonumber(counts[1] or 0) + tonumber(counts[2] or 0) + tonumber(counts[3] or 0)
end

-- Lets end-sub-jobs pass a stop or cancel on to them. A stop is stronger than a cancel.
function children.pass_on(id, job, command)
  if job.parent == 0 then return end
  local ending = context.prefix .. "ending"
  local open = redis.call("HGET", ending, id)
  if not open or tonumber(string.sub(open, 1, 1)) > command then
    redis.call("HSET", ending, id, command .. ":-")
  end
end

-- The job is retried: what is not ended yet of its children belongs to its new life.
function children.begin_life(id, job)
  redis.call("HDEL", context.prefix .. "ending", id)
  if job.parent == 1 then redis.call("HINCRBY", context.prefix .. "sub-job-keys:" .. id, children.LIFE, 1) end
end

return children
