-- refused-lanes: which job of a lane of refused jobs is for a worker.
-- needs: life/barred, queue/lane-lists
-- gives: bring_forward
-- writes: ready

-- Maximum number of jobs of a lane that a call looks at and that are not for the worker.
local MOST_BARRED = 50

-- Brings the first job that is for the walk's worker to the front of the lane, if there is one near the front; whether there is. If there
-- is none, those that were looked at go behind the others, at which the next call looks. They count as steps of the walk.
local function bring_forward(walk, lane)
  local list, passed = lane_lists.front_of(walk.name, lane), walk.barred[lane] or 0
  local ids = redis.call("LRANGE", list, passed, MOST_BARRED - 1)
  for at, id in ipairs(ids) do
    if not barred.bars(id, walk.worker) then
      walk.barred[lane] = passed + at - 1
      redis.call("LREM", list, 1, id)
      redis.call("LPUSH", list, id)
      return true
    end
  end
  walk.has_barred, walk.left = true, walk.left - passed - #ids
  if passed + #ids == MOST_BARRED then
    local seen = redis.call("LRANGE", list, 0, MOST_BARRED - 1)
    redis.call("LTRIM", list, MOST_BARRED, -1)
    redis.call("RPUSH", list, unpack(seen))
  end
  return false
end

return { bring_forward = bring_forward }
