-- reap: takes back the jobs of workers whose lease has ended, to the front of their queues; what they may have died of is in ERROR.
-- Time in which nobody looked at the leases counts against no worker: first, all leases that had not ended become whole.
-- needs: call/context, lease/sessions, lease/incarnations, lease/held, lease/returns, lease/watch
-- reads: leases, held
-- writes: leases
-- arguments: how many steps at most: each job is one, and so is a worker without any; lease in ms; after how many ms without
--   a look nobody watched; since when the asking controller has looked without a break, or 0
-- reply: how many steps it took, all of them while there are leases to give
return function(limit, lease, unwatched, since)
  local leases, done = context.prefix .. "leases", 0
  limit = tonumber(limit)
  if not watch.leases(tonumber(lease), tonumber(unwatched), tonumber(since)) then return limit end
  for _, worker in ipairs(redis.call("ZRANGEBYSCORE", leases, "-inf", context.now, "LIMIT", 0, limit)) do
    done = done + math.max(1, returns.all_lost(worker, limit - done))
    if redis.call("EXISTS", held.key_of(worker)) == 0 then
      incarnations.remember(worker, sessions.entry_of(worker))
      redis.call("ZREM", leases, worker)
      sessions.forget(worker)
    end
    if done >= limit then break end
  end
  return done
end
