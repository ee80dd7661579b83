-- launch: how a job begins: stored, at the end of its queue or until it is due.
-- needs: call/context, call/totals, record/statuses, record/kinds, record/index, record/tables, record/store, queue/waiting,
--   life/moves
-- needs at times: record/trace, hooks/outbox, unique/keys, schedule/times
-- gives: REQUEST_MS, options, job
-- writes: unique, request, schedules
local REQUEST_MS = 86400000
local now = context.now
local DEFAULTS = { priority = 5, fairness = "", kind = kinds.GENERIC, run_at = 0, unique = "", request = "", policy = false,
  labels = "", schedule = "", hook = "", scheduled_for = 0 }

-- The options of a launch: JSON of those that are not as in DEFAULTS, or empty.
local function options(options)
  return options == "" and DEFAULTS or setmetatable(cjson.decode(options), { __index = DEFAULTS })
end

local function new_job(id, name, parameters, upstream, traceparent, with)
  local waits = with.run_at > now or with.kind == kinds.PERIODIC
  local sequence, entry = index.add(index.jobs, id)
  local trace = traceparent == "" and "" or modules["record/trace"].to_bytes(traceparent)
  local job = tables.new(parameters)
  job.status, job.kind = waits and statuses.SCHEDULED or statuses.PENDING, with.kind
  job.status_time, job.priority, job.fairness = waits and with.run_at or 0, with.priority, with.fairness
  job.revision, job.enqueued, job.updated, job.sequence = 1, now, now, sequence
  job.name, job.upstream, job.trace = name, upstream, trace
  if entry then job.entry = entry end
  if with == DEFAULTS then return job end
  for _, detail in ipairs({ "unique", "request", "policy", "labels", "schedule", "hook", "scheduled_for" }) do
    if with[detail] ~= DEFAULTS[detail] then job[detail] = with[detail] end
  end
  return job
end

local function stand(id, job)
  if job.kind == kinds.PERIODIC then
    redis.call("ZADD", context.prefix .. "schedules", 0, id)
    return modules["schedule/times"].plan(id, job, job.status_time)
  end
  local waits = job.status == statuses.SCHEDULED
  if waits then modules["schedule/times"].postpone(id, job, job.status_time) else waiting.enqueue(id, job, "back") end
  if job.policy then modules["schedule/times"].limit_wait(id, job, waits and job.status_time or now) end
end

-- Launches a job; upstream is the job that asked for it, hold and by are how its unique key stands in another shard.
local function launch_job(id, name, traceparent, parameters, upstream, with, hold, by)
  if store.is_known(id) then context.refuse("ID_TAKEN", id) end
  if with.unique ~= "" then modules["unique/keys"].check(id, with.unique, hold, by) end
  local job = new_job(id, name, parameters, upstream, traceparent, with)
  if with.hook ~= "" then modules["hooks/outbox"].tell(id, job, "status") end
  if with.unique ~= "" then redis.call("HSET", context.prefix .. "unique", with.unique, id) end
  stand(id, job)
  store.put(id, job)
  if with.request ~= "" then
    redis.call("SET", context.prefix .. "request:" .. with.request, id, "PX", REQUEST_MS)
  end
  moves.count_child(job, job.status, 1)
  totals.launched(name)
end

return { REQUEST_MS = REQUEST_MS, options = options, job = launch_job }
