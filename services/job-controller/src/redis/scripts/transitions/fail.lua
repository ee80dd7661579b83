-- fail: an attempt has failed; the job waits for its next one, or is in ERROR. If it was to end anyway, it ends. A launch may
-- say its own attempts, base and cap, and reasons that are not to be tried again.
-- needs: call/context, record/statuses, record/policy-parts, record/store, life/moves, life/finish, lease/held, schedule/times
-- needs at times: life/patience
-- arguments: id, token, incarnation, reason, message, the least wait for the next attempt in ms or -1 for none, attempts that
--   may fail, base and cap of the back-off in ms, jitter from 0 to 1, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale
-- errors: JOB_NOT_FOUND

local function is_final_reason(policy, reason)
  for _, final in ipairs(policy and policy[policy_parts.FINAL_REASONS] or {}) do
    if final == reason then return true end
  end
  return false
end

return function(id, token, incarnation, reason, message, least, max_fails, base, cap, jitter, text, phase, percent)
  local job = store.load(id)
  local verdict = moves.standing(job, token, incarnation)
  if verdict ~= "held" then return verdict end
  moves.check_in(job, text, phase, percent)
  job.error = { reason, message, job.attempt, context.now }
  local command, own = job.command, job.policy and job.policy[policy_parts.ATTEMPTS] or 0
  held.let_go(id, job)
  local most = own > 0 and own or tonumber(max_fails)
  if command ~= 0 then
    finish.by_command(id, job, command)
  elseif least == "-1" or job.attempt >= most or is_final_reason(job.policy, reason) then
    finish.job(id, job, statuses.ERROR)
  else
    if job.postponed_since ~= 0 or job.crashes ~= 0 then modules["life/patience"].clear(id, job) end
    moves.change(job, statuses.SCHEDULED)
    times.back_off(id, job, least, base, cap, jitter)
  end
  moves.save(id, job)
  return "accepted"
end
