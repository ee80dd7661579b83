-- launch: stores a job, at the end of its queue or until it is due.
-- arguments: id, name, traceparent, parameters, upstream job or empty, options as JSON or empty
--   (priority, fairness, kind, run_at, unique, request, policy, labels, schedule, hook)
-- reply: the id and now; or the job when the request was answered before
-- errors: ID_TAKEN, UNIQUE_TAKEN, UNIQUE_RESERVED
local REQUEST_SECONDS = 86400
local DEFAULTS = { priority = 5, fairness = "", kind = 1, run_at = 0, unique = "", request = "", policy = false,
  labels = "", schedule = "", hook = "" }

-- The job that the request launched before, if its record is still there.
local function answered_before(request)
  local known = request ~= "" and redis.call("GET", prefix .. "request:" .. request)
  if not known or not is_known(known) then return nil end
  return shown(known, load(known))
end

-- Refuses when another job holds the key, or it is reserved; one that a job left behind without its record is free.
local function check_unique(id, unique)
  if unique == "" then return end
  local holder = redis.call("HGET", prefix .. "unique", unique)
  if not holder or holder == id then return end
  if string.find(holder, " ", 1, true) then refuse("UNIQUE_RESERVED", holder) end
  if is_known(holder) then refuse("UNIQUE_TAKEN", holder) end
end

local function launch(id, name, trace, parameters, upstream, options)
  local with = options == "" and DEFAULTS or cjson.decode(options)
  local before = answered_before(with.request)
  if before then return before end
  if is_known(id) then refuse("ID_TAKEN", id) end
  check_unique(id, with.unique)
  local waits = with.run_at > now or with.kind == PERIODIC
  local job = setmetatable({ parameters, waits and SCHEDULED or PENDING, with.kind, with.priority, 0, 0, NO, NO, 0,
    0, 0, 1, now, now, waits and with.run_at or 0, 0, 0, 0, 0, name, upstream, "", with.fairness, 0, 0, 1 }, fields)
  local place, entry = add_entry(prefix .. "index", id)
  job[PLACE] = place
  if entry then job[ENTRY] = entry end
  if trace ~= "" then job[TRACE] = trace end
  if with ~= DEFAULTS then
    job[UNIQUE], job[POLICY], job[LABELS] = with.unique, with.policy, with.labels
    job[SCHEDULE], job[HOOK] = with.schedule, with.hook
  end
  if with.hook ~= "" then tell_hook(id, job, "status") end
  if with.unique ~= "" then redis.call("HSET", prefix .. "unique", with.unique, id) end
  if with.kind == PERIODIC then
    redis.call("ZADD", prefix .. "schedules", 0, id)
    plan(id, job, with.run_at)
  elseif waits then
    postpone(id, job, with.run_at)
  else
    enqueue(id, job, "back")
  end
  store(id, job)
  if with.request ~= "" then redis.call("SET", prefix .. "request:" .. with.request, id, "EX", REQUEST_SECONDS) end
  if with.kind ~= PERIODIC then wait_for_first_run(id, job, waits and with.run_at or now) end
  count(job, 1)
  launched[name] = (launched[name] or 0) + 1
  return { id, now }
end
transitions.launch = launch
