-- update-worker: a worker's slots changed or it began to drain.
-- arguments: worker, session, info
-- reply: "OK"
transitions["update-worker"] = function(worker, session, info)
  if is_session(worker, session) then
    local who = string.match(redis.call("HGET", workers, worker), "^%S+ %S+ %d+ ")
    redis.call("HSET", workers, worker, who .. info)
  end
  return "OK"
end
