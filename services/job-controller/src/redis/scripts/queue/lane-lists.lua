-- lane-lists: the lists of ids of a lane's sections. What a call adds to the end of one is gathered and pushed with one command.
-- needs: call/context
-- gives: NO_IDS, of, flush, list_of, front_of
-- reads: sections
-- writes: ready, section

local prefix, NO_IDS = context.prefix, {}
-- by job type and lane: the keys of its front and of the numbers of its other sections; of the last section its number, its
-- length, and the ids that are still to be pushed to it, if this call knows them
local lanes = {}

local function front_key(name, lane)
  return prefix .. "ready:" .. name .. ":" .. lane
end

local function of(name, lane)
  local of_type = lanes[name] or {}
  local found = of_type[lane]
  if not found then
    found = { front = front_key(name, lane), numbers = prefix .. "sections:" .. name .. ":" .. lane,
      name = name, lane = lane, number = false, length = false, last = false, ids = NO_IDS }
    lanes[name], of_type[lane] = of_type, found
  end
  return found
end

local function key_of(of_lane, number)
  if number == 0 then return of_lane.front end
  return prefix .. "section:" .. of_lane.name .. ":" .. number .. ":" .. of_lane.lane
end

-- Pushes what was gathered.
local function flush(of_lane)
  if #of_lane.ids > 0 then redis.call("RPUSH", key_of(of_lane, of_lane.number), unpack(of_lane.ids)) end
  of_lane.ids, of_lane.length = NO_IDS, false
end

-- The key of a section's list, which has all ids by then.
local function list_of(of_lane, number)
  flush(of_lane)
  return key_of(of_lane, number)
end

local function front_of(name, lane)
  local known = lanes[name] and lanes[name][lane]
  return known and list_of(known, 0) or front_key(name, lane)
end

return { NO_IDS = NO_IDS, of = of, flush = flush, list_of = list_of, front_of = front_of }
