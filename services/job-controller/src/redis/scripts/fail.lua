-- fail: an attempt has failed; the job waits for its next one, or is in ERROR. If it was to end anyway, it ends.
-- arguments: id, token, reason, message, delay in ms (-1 never, -2 by the back-off), attempts that may fail,
--   base and cap of the back-off in ms, jitter from 0 to 1, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale; errors: JOB_NOT_FOUND
-- A launch may say its own attempts, base and cap, and reasons that are not to be tried again.
local function is_final_reason(policy, reason)
  for _, final in ipairs(policy and policy[6] or {}) do
    if final == reason then return true end
  end
  return false
end

local function delay_of(delay, attempt, base, cap, jitter)
  if delay ~= -2 then return delay end
  return math.floor(math.min(cap, base * 2 ^ (attempt - 1)) * jitter)
end

transitions.fail = function(id, token, reason, message, delay, max_fails, base, cap, jitter, text, phase, percent)
  local job = load(id)
  local verdict = standing(job, token)
  if verdict ~= "held" then return verdict end
  check_in(job, text, phase, percent)
  job[ERROR] = { reason, message, job[ATTEMPT], now }
  local command, own = job[COMMAND], job[POLICY] or { 0, 0, 0 }
  let_go(id, job)
  local most = own[1] > 0 and own[1] or tonumber(max_fails)
  local first, longest = own[2] > 0 and own[2] or tonumber(base), own[3] > 0 and own[3] or tonumber(cap)
  local wait = delay_of(tonumber(delay), job[ATTEMPT], first, longest, tonumber(jitter))
  if command ~= 0 then
    finish(id, job, command == STOP and STOPPED or CANCELLED)
  elseif wait < 0 or job[ATTEMPT] >= most or is_final_reason(job[POLICY], reason) then
    finish(id, job, ERRED)
  else
    move(job, SCHEDULED)
    postpone(id, job, now + wait)
  end
  save(id, job)
  return "accepted"
end
