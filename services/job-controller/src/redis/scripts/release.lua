-- release: a job is given back unfinished, to the front of its queue; no attempt is used. If it was to end, it ends.
-- arguments: id, token
-- reply: accepted, duplicate or stale; errors: JOB_NOT_FOUND
local function give_back(id, job)
  local command = job[COMMAND]
  let_go(id, job)
  job[ATTEMPT] = job[ATTEMPT] - 1
  -- whoever held it must not be heard again
  job[TOKEN] = job[TOKEN] + 1
  if command ~= 0 then
    finish(id, job, command == STOP and STOPPED or CANCELLED)
  else
    move(job, PENDING)
    enqueue(id, job, "front")
  end
end

local function return_held(id, job)
  give_back(id, job)
  save(id, job)
end

transitions.release = function(id, token)
  local job = load(id)
  local verdict = standing(job, token)
  if verdict ~= "held" then return verdict end
  return_held(id, job)
  return "accepted"
end

-- Gives back a job that the worker was assigned but does not have.
local function give_back_unheard(id, worker)
  with_held(id, worker, return_held)
end
