-- fail: an attempt has failed; the job waits for its next one, or is in ERROR. If it was to end anyway, it ends.
-- arguments: id, token, reason, message, delay in ms (-1 never, -2 by the back-off), attempts that may fail,
--   base and cap of the back-off in ms, jitter from 0 to 1, last check-in or empty, phase or empty, percent
-- reply: accepted, duplicate or stale; errors: JOB_NOT_FOUND
local function delay_of(delay, attempt, base, cap, jitter)
  if delay ~= -2 then return delay end
  return math.floor(math.min(cap, base * 2 ^ (attempt - 1)) * jitter)
end

transitions.fail = function(id, token, reason, message, delay, max_fails, base, cap, jitter, text, phase, percent)
  local job, parameters = load(id)
  local verdict = standing(job, token)
  if verdict ~= "held" then return verdict end
  check_in(job, text, phase, percent)
  job[ERROR] = { reason, message, job[ATTEMPT], now }
  local command = job[COMMAND]
  let_go(id, job)
  local wait = delay_of(tonumber(delay), job[ATTEMPT], tonumber(base), tonumber(cap), tonumber(jitter))
  if command ~= 0 then
    finish(job, command == STOP and STOPPED or CANCELLED)
  elseif wait < 0 or job[ATTEMPT] >= tonumber(max_fails) then
    finish(job, ERRED)
  else
    move(job, SCHEDULED)
    job[RUN_AT] = now + wait
    redis.call("ZADD", scheduled, job[RUN_AT], id)
  end
  save(id, job, parameters)
  return "accepted"
end
