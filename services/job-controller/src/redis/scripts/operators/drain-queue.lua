-- drain-queue: stops the waiting jobs of a type that were launched before the drain began, lane by lane, the next lane first.
-- needs: record/statuses, record/commands, record/index, life/moves, life/finish, life/children, queue/lane-walk
-- arguments: name, the newest entry of the index when the drain began, score and lane behind which to go on ("-inf" and
--   empty at first), how many steps at most: each id is one, and so is a lane that is done
-- reply: how many were stopped, how many steps it took, then score and lane to go on behind, nothing when all is done

-- Ids stand in a lane in the order of their launch, except ids that came to wait later. So behind the first id that was
-- launched after the drain began, nothing waited then.
local function is_launched_after(job, newest)
  local at, sequence = string.match(index.entry_of(job.enqueued, job.sequence, job.entry), "^(%d+)-(%d+)$")
  local newest_at, newest_sequence = string.match(newest, "^(%d+)-(%d+)$")
  at, newest_at = tonumber(at), tonumber(newest_at)
  return at > newest_at or at == newest_at and tonumber(sequence) > tonumber(newest_sequence)
end

local function stop_waiting(id, job)
  finish.job(id, job, statuses.STOPPED)
  children.pass_on(id, job, commands.STOP)
  moves.save(id, job)
end

return function(name, newest, score, lane, limit)
  local function stays(job) return is_launched_after(job, newest) end
  return lane_walk.run(name, score, lane, limit, stays, stop_waiting)
end
