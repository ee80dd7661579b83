-- fail: an attempt has failed; the job waits for its next one, or is in ERROR. If it was to end anyway, it ends. A launch may
-- say its own attempts, base and cap, and reasons that are not to be tried again.
-- needs: call/context, record/statuses, record/policy-parts, record/store, life/moves, life/finish, life/patience, lease/held, schedule/times
-- arguments: id, token, incarnation, reason, message, delay in ms (-1 never, -2 by the back-off), attempts that may fail,
--   base and cap of the back-off in ms, jitter from 0 to 1, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND

local function is_final_reason(policy, reason)
  for _, final in ipairs(policy and policy[policy_parts.FINAL_REASONS] or {}) do
    if final == reason then return true end
  end
  return false
end

local function delay_of(delay, attempt, base, cap, jitter)
  if delay ~= -2 then return delay end
  return math.floor(math.min(cap, base * 2 ^ (attempt - 1)) * jitter)
end

return function(id, token, incarnation, reason, message, delay, max_fails, base, cap, jitter, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  moves.check_in(job, text, phase, percent)
  job.error = { reason, message, job.attempt, context.now }
  local command, own = job.command, job.policy or { 0, 0, 0 }
  held.let_go(id, job)
  local most = own[policy_parts.ATTEMPTS] > 0 and own[policy_parts.ATTEMPTS] or tonumber(max_fails)
  local first, longest = own[policy_parts.BASE], own[policy_parts.CAP]
  first, longest = first > 0 and first or tonumber(base), longest > 0 and longest or tonumber(cap)
  local wait = delay_of(tonumber(delay), job.attempt, first, longest, tonumber(jitter))
  if command ~= 0 then
    finish.by_command(id, job, command)
  elseif wait < 0 or job.attempt >= most or is_final_reason(job.policy, reason) then
    finish.job(id, job, statuses.ERROR)
  else
    patience.clear(id, job)
    moves.change(job, statuses.SCHEDULED)
    times.postpone(id, job, context.now + wait)
  end
  moves.save(id, job)
  return "accepted"
end
