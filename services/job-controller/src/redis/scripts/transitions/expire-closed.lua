-- expire-closed: puts the waiting jobs of a type in ERROR that came to wait before a time, as long as its queue is not paused: every
-- worker has closed the type for longer than its patience. Lane by lane, the next lane first.
-- needs: call/context, record/statuses, life/moves, life/finish, queue/lane-walk
-- reads: paused
-- arguments: name, the time, reason and message of what the workers wait for, score and lane behind which to go on ("-inf" and
--   empty at first), how many steps at most: each id is one, and so is a lane that is done
-- reply: how many are in ERROR, how many steps it took, then score and lane to go on behind, nothing when all is done

-- A job's last change is when it came to wait, and ids stand in a lane in the order of that, except those that were given back.
return function(name, before, reason, message, score, lane, limit)
  if redis.call("SISMEMBER", context.prefix .. "paused", name) == 1 then return { 0, 0 } end
  local function stays(job) return job.updated > tonumber(before) end
  return lane_walk.run(name, score, lane, limit, stays, function(id, job)
    job.error = { reason, message, job.attempt, context.now }
    finish.job(id, job, statuses.ERROR)
    moves.save(id, job)
  end)
end
