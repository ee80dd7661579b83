-- lane-lists: the lists of ids of a lane's sections. What a call adds to the end of one is gathered and pushed with one command.
-- needs: call/context, call/undo
-- gives: of, push, list_of, front_of
-- reads: sections
-- writes: ready, section

local prefix, NO_IDS = context.prefix, {}
-- by job type and lane: the keys of its front and of the numbers of its other sections; of the last section its number, its
-- length, and the ids that are still to be pushed to it, if this call knows them
local lanes = {}

local function of(name, lane)
  local of_type = lanes[name] or {}
  local found = of_type[lane]
  if not found then
    found = { front = prefix .. "ready:" .. name .. ":" .. lane, numbers = prefix .. "sections:" .. name .. ":" .. lane,
      name = name, lane = lane, ids = NO_IDS }
    lanes[name], of_type[lane] = of_type, found
  end
  return found
end

local function key_of(of_lane, number)
  if number == 0 then return of_lane.front end
  return prefix .. "section:" .. of_lane.name .. ":" .. number .. ":" .. of_lane.lane
end

local function push_ids(of_lane)
  if #of_lane.ids > 0 then redis.call("RPUSH", key_of(of_lane, of_lane.number), unpack(of_lane.ids)) end
  of_lane.ids, of_lane.length = NO_IDS, nil
end

-- The key of a section's list, which has all ids by then.
local function list_of(of_lane, number)
  push_ids(of_lane)
  return key_of(of_lane, number)
end

local function front_of(name, lane)
  return list_of(of(name, lane), 0)
end

-- Adds an id at the end of a section, the first one of a call at once, which tells the length. Returns the length, which is too
-- great if an operation that added an id has failed since.
local function push(of_lane, number, id)
  if of_lane.number ~= number or not of_lane.length then
    of_lane.number, of_lane.length = number, redis.call("RPUSH", list_of(of_lane, number), id)
    return of_lane.length
  end
  local length = of_lane.length + 1
  if of_lane.ids == NO_IDS then of_lane.ids = {} end
  undo.set(of_lane.ids, #of_lane.ids + 1, id)
  of_lane.length = length
  return length
end

context.at_end[#context.at_end + 1] = function()
  for _, of_type in pairs(lanes) do
    for _, of_lane in pairs(of_type) do push_ids(of_lane) end
  end
end

return { of = of, push = push, list_of = list_of, front_of = front_of }
