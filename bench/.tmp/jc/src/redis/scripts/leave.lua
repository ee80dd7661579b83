-- leave: a worker goes by plan; what it still holds goes back to the front, unless a newer stream has taken over.
-- arguments: worker, session
-- reply: "OK"
transitions.leave = function(worker, session)
  if not is_session(worker, session) then return "OK" end
  for _, id in ipairs(redis.call("HKEYS", prefix .. "held:" .. worker)) do give_back_unheard(id, worker) end
  redis.call("ZREM", leases, worker)
  redis.call("HDEL", workers, worker)
  return "OK"
end
