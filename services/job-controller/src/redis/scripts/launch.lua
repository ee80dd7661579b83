-- launch: stores a job, at the end of its queue or until it is due.
-- arguments: 1 when the pool is full or 0, how its unique key stands when it falls to another shard and by what (see
--   reserve-key) or both empty, id, name, traceparent, parameters, options as JSON or empty (priority, fairness, kind,
--   run_at, unique, request, policy, labels, schedule, hook)
-- reply: the id and now; the job when the request was answered before; or nothing when it was not and the pool is full
-- errors: ID_TAKEN, UNIQUE_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED
local REQUEST_MS = 86400000
local DEFAULTS = { priority = 5, fairness = "", kind = 1, run_at = 0, unique = "", request = "", policy = false,
  labels = "", schedule = "", hook = "" }

-- The job that the request launched before, if its record is still there.
local function answered_before(request)
  local known = request ~= "" and redis.call("GET", prefix .. "request:" .. request)
  if not known or not is_known(known) then return nil end
  return shown(known, load(known))
end

local function read_options(options)
  return options == "" and DEFAULTS or cjson.decode(options)
end

launch = function(id, name, trace, parameters, upstream, with, hold, by)
  if is_known(id) then refuse("ID_TAKEN", id) end
  check_unique(id, with.unique, hold, by)
  local waits = with.run_at > now or with.kind == PERIODIC
  local job = setmetatable({ parameters, waits and SCHEDULED or PENDING, with.kind, with.priority, 0, 0, NO, NO, 0,
    0, 0, 1, now, now, waits and with.run_at or 0, 0, 0, 0, 0, name, upstream, "", with.fairness, 0, 0, 1 }, fields)
  local place, entry = add_entry(prefix .. "index", id)
  job[PLACE] = place
  if entry then job[ENTRY] = entry end
  if trace ~= "" then job[TRACE] = trace end
  if with ~= DEFAULTS then
    job[UNIQUE], job[POLICY], job[LABELS] = with.unique, with.policy, with.labels
    job[SCHEDULE], job[HOOK], job[REQUEST] = with.schedule, with.hook, with.request
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
  if with.request ~= "" then redis.call("SET", prefix .. "request:" .. with.request, id, "PX", REQUEST_MS) end
  if with.kind ~= PERIODIC then wait_for_first_run(id, job, waits and with.run_at or now) end
  count(job, 1)
  launched[name] = (launched[name] or 0) + 1
end

transitions.launch = function(full, hold, by, id, name, trace, parameters, options)
  local with = read_options(options)
  local before = answered_before(with.request)
  if before or full == "1" then return before or {} end
  launch(id, name, trace, parameters, "", with, hold, by)
  return { id, now }
end
