-- leave: a worker goes by plan; what it still holds goes back to the front, unless a newer stream has taken over.
-- needs: call/context, lease/sessions, lease/held, lease/returns
-- reads: held
-- writes: leases
-- arguments: worker, session
-- reply: "OK"
return function(worker, session)
  if not sessions.is_current(worker, session) then return "OK" end
  for _, id in ipairs(redis.call("HKEYS", held.key_of(worker))) do returns.unfinished(id, worker) end
  redis.call("ZREM", context.prefix .. "leases", worker)
  sessions.forget(worker)
  return "OK"
end
