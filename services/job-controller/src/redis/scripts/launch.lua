-- launch: stores a job, at the end of its queue or until it is due.
-- arguments: id, name, traceparent, parameters, upstream job or empty, options as JSON or empty
--   (priority, fairness, kind, run_at, unique, request, policy, labels, schedule, hook)
-- reply: the id and now; or the id, the job and its parameters when the request was answered before
-- errors: ID_TAKEN, UNIQUE_TAKEN
local REQUEST_SECONDS = 86400
local DEFAULTS = { priority = 5, fairness = "", kind = 1, run_at = 0, unique = "", request = "", policy = false,
  labels = "", schedule = "", hook = "" }

-- The job that the request launched before, if its record is still there.
local function answered_before(request)
  local known = request ~= "" and redis.call("GET", prefix .. "request:" .. request)
  if not known or redis.call("HEXISTS", jobs, known) == 0 then return nil end
  local job, parameters = load(known)
  return { known, job, parameters }
end

-- Refuses when another job holds the key; one that a job left behind without its record is free.
local function check_unique(id, unique)
  if unique == "" then return end
  local holder = redis.call("HGET", prefix .. "unique", unique)
  if holder and holder ~= id and redis.call("HEXISTS", jobs, holder) == 1 then refuse("UNIQUE_TAKEN", holder) end
end

local function launch(id, name, trace, parameters, upstream, options)
  local with = options == "" and DEFAULTS or cjson.decode(options)
  local before = answered_before(with.request)
  if before then return before end
  check_unique(id, with.unique)
  local waits = with.run_at > now or with.kind == PERIODIC
  local job = { waits and SCHEDULED or PENDING, 0, 0, 0, 1, 0, name, upstream, now, now,
    waits and with.run_at or 0, 0, 0, "", "", 0, "", 0,
    false, false, trace, with.priority, with.fairness, with.kind, with.unique, with.policy, with.labels,
    with.schedule, with.hook, 0, false }
  if with.hook ~= "" then
    if redis.call("HEXISTS", jobs, id) == 1 then refuse("ID_TAKEN", id) end
    tell_hook(id, job, "status")
  end
  if redis.call("HSETNX", jobs, id, cmsgpack.pack(job) .. parameters) == 0 then refuse("ID_TAKEN", id) end
  if with.unique ~= "" then redis.call("HSET", prefix .. "unique", with.unique, id) end
  if with.kind == PERIODIC then
    plan(id, job, with.run_at)
  elseif waits then
    postpone(id, job, with.run_at)
  else
    enqueue(id, job, "RPUSH")
  end
  if with.request ~= "" then redis.call("SET", prefix .. "request:" .. with.request, id, "EX", REQUEST_SECONDS) end
  if with.kind ~= PERIODIC then wait_for_first_run(id, job, waits and with.run_at or now) end
  add_entry(prefix .. "index", id)
  count(job, 1)
  return { id, now }
end
transitions.launch = launch
