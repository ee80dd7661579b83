-- launch: how a job begins: stored, at the end of its queue or until it is due.
-- needs: call/context, call/totals, record/codes, record/index, record/record, record/store, record/trace, hooks/outbox,
--   unique/keys, queue/lanes, schedule/times, life/moves
-- gives: REQUEST_MS, options, job
-- writes: index, unique, request, schedules
local launch = { REQUEST_MS = 86400000 }
local status, kind, now = codes.status, codes.kind, context.now
local DEFAULTS = { priority = 5, fairness = "", kind = kind.GENERIC, run_at = 0, unique = "", request = "", policy = false,
  labels = "", schedule = "", hook = "", scheduled_for = 0 }
local DETAILS = { "unique", "request", "policy", "labels", "schedule", "hook", "scheduled_for" }

-- The options of a launch: JSON of those that are not as in DEFAULTS, or empty.
function launch.options(options)
  return options == "" and DEFAULTS or setmetatable(cjson.decode(options), { __index = DEFAULTS })
end

local function new_job(id, name, parameters, upstream, traceparent, with)
  local waits = with.run_at > now or with.kind == kind.PERIODIC
  local place, entry = index.add(context.prefix .. "index", id)
  local job = record.new({ status = waits and status.SCHEDULED or status.PENDING, kind = with.kind,
    priority = with.priority, command = 0, crashes = 0, parent = 0, limited = 0, hook_status = 0, attempt = 0, token = 0,
    revision = 1, enqueued = now, updated = now, status_time = waits and with.run_at or 0, started = 0, place = place,
    end_place = 0, name = name, upstream = upstream, worker = "", fairness = with.fairness, created_by = "",
    trace = trace.to_bytes(traceparent), section = 0, details_size = 0 }, parameters)
  if entry then job.entry = entry end
  if with == DEFAULTS then return job end
  for _, detail in ipairs(DETAILS) do
    if with[detail] ~= DEFAULTS[detail] then job[detail] = with[detail] end
  end
  return job
end

local function stand(id, job)
  if job.kind == kind.PERIODIC then
    redis.call("ZADD", context.prefix .. "schedules", 0, id)
    return times.plan(id, job, job.status_time)
  end
  local waits = job.status == status.SCHEDULED
  if waits then times.postpone(id, job, job.status_time) else lanes.enqueue(id, job, "back") end
  times.limit_wait(id, job, waits and job.status_time or now)
end

-- Launches a job; upstream is the job that asked for it, hold and by are how its unique key stands in another shard.
function launch.job(id, name, traceparent, parameters, upstream, with, hold, by)
  if store.is_known(id) then context.refuse("ID_TAKEN", id) end
  keys.check(id, with.unique, hold, by)
  local job = new_job(id, name, parameters, upstream, traceparent, with)
  if with.hook ~= "" then outbox.tell(id, job, "status") end
  if with.unique ~= "" then redis.call("HSET", context.prefix .. "unique", with.unique, id) end
  stand(id, job)
  store.put(id, job)
  if with.request ~= "" then
    redis.call("SET", context.prefix .. "request:" .. with.request, id, "PX", launch.REQUEST_MS)
  end
  moves.count(job, 1)
  totals.launched(name)
end

return launch
