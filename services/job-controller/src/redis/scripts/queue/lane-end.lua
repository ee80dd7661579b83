-- lane-end: adds ids at the end of a lane.
-- needs: call/context, call/undo, queue/lane-lists, queue/lanes
-- gives: append
-- reads: sections
-- writes: ready, section, sections

local MOST_IN_SECTION = 200

-- Adds an id at the end of a section, the first one of a call at once, which tells the length. Returns the length, which is too
-- great if an operation that added an id has failed since.
local function push(of_lane, number, id)
  if of_lane.number ~= number or not of_lane.length then
    of_lane.number, of_lane.length = number, redis.call("RPUSH", lane_lists.list_of(of_lane, number), id)
    return of_lane.length
  end
  local length = of_lane.length + 1
  if of_lane.ids == lane_lists.NO_IDS then
    of_lane.ids = {}
    context.at_end[#context.at_end + 1] = function() lane_lists.flush(of_lane) end
  end
  undo.set(of_lane.ids, #of_lane.ids + 1, id)
  of_lane.length = length
  return length
end

-- Adds an id at the end of the lane; the number of its section, and how many that has.
local function append(name, lane, id)
  local to = lane_lists.of(name, lane)
  local number = to.last or tonumber(redis.call("ZRANGE", to.numbers, "-1", "-1")[1] or 0)
  local length = push(to, number, id)
  if length > MOST_IN_SECTION and not lanes.is_of_refused(lane) then
    number = number + 1
    redis.call("LMOVE", lane_lists.list_of(to, number - 1), lane_lists.list_of(to, number), "RIGHT", "RIGHT")
    redis.call("ZADD", to.numbers, number, number)
  end
  to.last = number
  return number, length
end

return { append = append }
