-- disconnect: a worker's stream broke, or it did not accept jobs; cuts its lease and takes those jobs back. When a newer stream
-- has taken over, it does nothing.
-- needs: call/context, lease/sessions, lease/held, lease/returns
-- reads: held
-- writes: leases
-- arguments: worker, session, lease in ms, 1 when the stream broke (a job may have broken it: that counts as a loss) or 0,
--   then id and token of each job that was sent and not accepted
-- reply: "OK"
return function(worker, session, lease, broke, ...)
  if not sessions.is_current(worker, session) then return "OK" end
  redis.call("ZADD", context.prefix .. "leases", "LT", context.now + tonumber(lease), worker)
  local take_back = broke == "1" and returns.lost or returns.unfinished
  local unaccepted = { ... }
  for at = 1, #unaccepted, 2 do
    local mark = redis.call("HGET", held.key_of(worker), unaccepted[at])
    if mark and string.match(mark, "^%d+") == unaccepted[at + 1] then take_back(unaccepted[at], worker) end
  end
  return "OK"
end
