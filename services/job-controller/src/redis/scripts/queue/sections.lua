-- sections: a lane is cut into lists of at most 200 ids, its sections, and a job notes in which it stands, so that it is found
-- at once however many wait. Claims take from the front section, which has the number 0; when that is empty the next one takes
-- its place, and its jobs keep the number that they noted. Only what is given back makes the front longer.
-- needs: call/context
-- gives: front_of, append, bring_up, remove
-- reads: sections
-- writes: ready, section, sections
local MOST_IN_SECTION = 200
local prefix = context.prefix
-- by job type and lane: the keys of its front and of the numbers of its other sections; the last number if this call knows it
local lanes = {}

local function known(name, lane)
  local id = name .. ":" .. lane
  local found = lanes[id]
  if not found then
    found = { front = prefix .. "ready:" .. id, numbers = prefix .. "sections:" .. id }
    lanes[id] = found
  end
  return found
end

local function front_of(name, lane)
  return known(name, lane).front
end

local function list_of(name, lane, number)
  return number == 0 and front_of(name, lane) or prefix .. "section:" .. name .. ":" .. number .. ":" .. lane
end

-- Adds an id at the end of the lane; the number of its section, and how many that has.
local function append(name, lane, id)
  local to = known(name, lane)
  local number = to.last or tonumber(redis.call("ZRANGE", to.numbers, -1, -1)[1] or 0)
  local list = number == 0 and to.front or list_of(name, lane, number)
  local length = redis.call("RPUSH", list, id)
  if length > MOST_IN_SECTION then
    number = number + 1
    redis.call("LMOVE", list, list_of(name, lane, number), "RIGHT", "RIGHT")
    redis.call("ZADD", to.numbers, number, number)
  end
  to.last = number
  return number, length
end

-- Lets the next section take the place of a front without ids; false when the lane has none.
local function bring_up(name, lane)
  local from = known(name, lane)
  local number = redis.call("ZPOPMIN", from.numbers)[1]
  if not number then return false end
  redis.call("RENAME", list_of(name, lane, number), from.front)
  from.last = nil
  return true
end

-- Takes an id out of the lane; whether others are left in it.
local function remove(name, lane, number, id)
  local from, list = known(name, lane), list_of(name, lane, number)
  if number > 0 and redis.call("LREM", list, 1, id) == 1 then
    if redis.call("EXISTS", list) == 0 then
      redis.call("ZREM", from.numbers, number)
      from.last = nil
    end
    return true
  end
  redis.call("LREM", from.front, 1, id)
  return redis.call("EXISTS", from.front) == 1 or bring_up(name, lane)
end

return { front_of = front_of, append = append, bring_up = bring_up, remove = remove }
