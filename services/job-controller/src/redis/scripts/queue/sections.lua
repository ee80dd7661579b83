-- sections: a lane is cut into lists of at most 200 ids, its sections, and a job notes in which it stands, so that it is found
-- at once however many wait. Claims take from the front section, which has the number 0; when that is empty the next one becomes
-- the front, and its jobs keep the number that they noted. Only what is given back makes the front longer.
-- needs: queue/lane-lists
-- gives: bring_up, remove
-- writes: ready, section, sections

-- Makes the next section the front, which has no ids any more; false when the lane has none.
local function bring_up(name, lane)
  local from = lane_lists.of(name, lane)
  local number = redis.call("ZPOPMIN", from.numbers)[1]
  if not number then return false end
  redis.call("RENAME", lane_lists.list_of(from, tonumber(number)), lane_lists.list_of(from, 0))
  from.last = false
  return true
end

-- Takes an id out of the lane; whether others are left in it.
local function remove(name, lane, number, id)
  local from = lane_lists.of(name, lane)
  local front, list = lane_lists.list_of(from, 0), lane_lists.list_of(from, number)
  if number > 0 and redis.call("LREM", list, 1, id) == 1 then
    if redis.call("EXISTS", list) == 0 then
      redis.call("ZREM", from.numbers, number)
      from.last = false
    end
    return true
  end
  redis.call("LREM", front, 1, id)
  return redis.call("EXISTS", front) == 1 or bring_up(name, lane)
end

return { bring_up = bring_up, remove = remove }
