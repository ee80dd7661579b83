-- launch-sub-job: launches a job on behalf of a job that a worker holds; the same key again gives the same job. Without a fairness
--   key it has its parent's, or else one of its own family: the parent's id.
-- needs: call/context, record/statuses, record/shown, record/store, unique/keys, life/moves, life/launch, life/children
-- reads: sub-job-keys
-- writes: sub-job-keys
-- arguments: parent id, token, incarnation, key, a job of another shard or empty and its status and command as they were found there (0
--   and 0 when it is gone), 1 when the pool is full or 0, how the unique key stands in its own shard when that is another
--   one and by what (see unique/reserve) or both empty, id, name, traceparent, parameters, options as JSON or empty
-- reply: of a new job its id, now and its fairness key; else the job that the key stands for, or that holds its unique key; of one in
--   another shard its id, and 0 when the key stands for it or 1 when that depends on how it stands there; nothing when
--   the key stands for none and the pool is full
-- errors: JOB_NOT_FOUND, LEASE_LOST, ID_TAKEN, UNIQUE_ENDS, UNIQUE_RESERVED
-- when memory is full: refused

-- Whether a job that a former life of its parent asked for counts in this one: it succeeded, or is alive and not to end.
local function outlives(job)
  return job.status == statuses.SUCCESS or (job.status <= statuses.RUNNING and job.command == 0)
end

-- The job that holds the unique key, if it goes on.
local function holder_of(unique, hold, by)
  local state, holder = keys.state(unique, hold, by)
  if state == "ends" then context.refuse("UNIQUE_ENDS", holder) end
  return state == "held" and holder
end

-- The options of the launch, with the fairness key that it falls to.
local function in_family(with, parent_id, parent)
  if with.fairness ~= "" then return with end
  return setmetatable({ fairness = parent.fairness ~= "" and parent.fairness or parent_id }, { __index = with })
end

-- The job that the key stands for from now on, and the fairness key of a new one.
local function launch_for(parent_id, parent, hold, by, id, name, traceparent, parameters, options)
  local with = in_family(launch.options(options), parent_id, parent)
  local holder = holder_of(with.unique, hold, by)
  if not holder then
    launch.job(id, name, traceparent, parameters, parent_id, with, hold, by)
    children.add(parent_id, id)
  end
  parent.parent = 1
  -- the parent's stop or cancel was passed on before this launch
  if parent.command ~= 0 then children.pass_on(parent_id, parent, parent.command) end
  moves.save(parent_id, parent)
  return holder or id, not holder and with.fairness
end

return function(parent_id, token, incarnation, key, seen, seen_status, seen_command, full, ...)
  local parent = store.load(parent_id)
  if moves.standing(parent, token, incarnation) ~= "held" then context.refuse("LEASE_LOST", parent_id) end
  local keys_of_parent = context.prefix .. "sub-job-keys:" .. parent_id
  local life = redis.call("HGET", keys_of_parent, children.LIFE) or "0"
  local its_life, known = string.match(redis.call("HGET", keys_of_parent, key) or "", "^(%d+) (.+)$")
  local job = known and store.find(known)
  if known and keys.is_elsewhere(known, parent_id) then
    if known ~= seen then return { known, its_life == life and 0 or 1 } end
    job = seen_status ~= "0" and { status = tonumber(seen_status), command = tonumber(seen_command) }
  end
  local launched, fairness = job and (its_life == life or outlives(job)) and known
  if not launched then
    if full == "1" then return {} end
    launched, fairness = launch_for(parent_id, parent, ...)
  end
  -- a known job is answered without a write, for which Redis may have no memory
  if launched ~= known or its_life ~= life then redis.call("HSET", keys_of_parent, key, life .. " " .. launched) end
  if fairness then return { launched, context.now, fairness } end
  if keys.is_elsewhere(launched, parent_id) then return { launched, 0 } end
  return shown.job(launched, store.load(launched))
end
