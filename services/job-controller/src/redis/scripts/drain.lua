-- drain: stops waiting jobs of a type, the next ones first.
-- arguments: name, how many at most
-- reply: how many were stopped, whether more are waiting (0 or 1)
transitions.drain = function(name, limit)
  local stopped, popped = 0, 0
  limit = tonumber(limit)
  while popped < limit do
    local ids = pop(name, limit - popped)
    if not ids then break end
    popped = popped + #ids
    for _, id in ipairs(ids) do
      local job = find(id)
      if job and job[STATUS] == PENDING then
        finish(id, job, STOPPED)
        pass_on(id, job, STOP)
        save(id, job)
        stopped = stopped + 1
      end
    end
  end
  return { stopped, redis.call("EXISTS", lanes_of(name)) }
end
