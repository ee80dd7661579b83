-- status: how a job moves on.
-- Jobs whose hook is to be told what changed; tell_hook is in hooks.
local news, tell_hook = {}, nil

local function save(id, job)
  job[REVISION] = job[REVISION] + 1
  -- the clock of another controller may be ahead
  job[UPDATED] = math.max(now, job[UPDATED])
  if news[job] and job[HOOK] ~= "" then tell_hook(id, job, news[job]) end
  store(id, job)
end

-- Notes that so many more jobs of the type stand where this one stands.
local function count_of_type(job, by)
  local counted = changes[job[NAME]]
  if not counted then
    counted = { 0, 0, 0, 0, 0, 0, 0 }
    changes[job[NAME]] = counted
  end
  counted[job[STATUS]] = counted[job[STATUS]] + by
end

-- The same, and for its parent that so many more of its jobs do.
local function count(job, by)
  count_of_type(job, by)
  if job[UPSTREAM] ~= "" and is_known(job[UPSTREAM]) then
    redis.call("HINCRBY", prefix .. "sub-job-totals:" .. job[UPSTREAM], job[STATUS], by)
  end
end

local function move(job, status)
  count(job, -1)
  job[STATUS], news[job] = status, "status"
  count(job, 1)
end

-- What is asked of a job whose status or kind does not allow it, for the refusal.
local function forbidden(asked, job)
  return asked .. " " .. job[STATUS] .. " " .. job[KIND]
end

-- How a fenced operation stands: "held", or the verdict that refuses it.
local function standing(job, token)
  if job[TOKEN] ~= tonumber(token) then return "stale" end
  return job[STATUS] == RUNNING and "held" or "duplicate"
end

local function check_in(job, text, phase, percent)
  if text ~= "" then
    job[CHECK_IN], job[CHECK_IN_AT], news[job] = text, now, "check-in"
  end
  if phase ~= "" then job[PHASE], job[PERCENT] = phase, tonumber(percent) end
end
