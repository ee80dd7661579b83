-- update: a worker's slots changed or it began to drain.
-- needs: lease/sessions
-- reads: workers
-- writes: workers
-- arguments: worker, session, info
-- reply: "OK"
return function(worker, session, info)
  if sessions.is_current(worker, session) then
    local process = string.match(redis.call("HGET", sessions.workers, worker), "^%S+ %S+ %d+ ")
    redis.call("HSET", sessions.workers, worker, process .. info)
  end
  return "OK"
end
