-- update-worker: a worker's slots changed or it began to drain.
-- arguments: worker, incarnation, session, info
-- reply: "OK"
transitions["update-worker"] = function(worker, incarnation, session, info)
  if is_session(worker, session) then
    redis.call("HSET", workers, worker, incarnation .. " " .. session .. " " .. info)
  end
  return "OK"
end
