-- sections: a lane is cut into lists of so many ids, its sections, and a job notes in which it stands: so it is found at
-- once, however many wait. Claims take from the front section, which has the number 0; when that is empty the next one
-- takes its place, and its jobs keep the number that they noted. Only what is given back makes the front longer.
local MOST_IN_SECTION = 200

-- The number of the last section of the lanes to which this call added jobs.
local last_sections = {}

local function sections_of(name, lane)
  return prefix .. "sections:" .. name .. ":" .. lane
end

local function front_of(name, lane)
  return prefix .. "ready:" .. name .. ":" .. lane
end

local function section_of(name, lane, number)
  return number == 0 and front_of(name, lane) or prefix .. "section:" .. name .. ":" .. number .. ":" .. lane
end

-- Adds an id at the end of the lane; the number of its section, and how many that has.
local function append(name, lane, id)
  local sections = sections_of(name, lane)
  local number = last_sections[sections] or tonumber(redis.call("ZRANGE", sections, -1, -1)[1] or 0)
  local list = section_of(name, lane, number)
  local length = redis.call("RPUSH", list, id)
  if length > MOST_IN_SECTION then
    number = number + 1
    redis.call("LMOVE", list, section_of(name, lane, number), "RIGHT", "RIGHT")
    redis.call("ZADD", sections, number, number)
  end
  last_sections[sections] = number
  return number, length
end

-- Lets the next section take the place of a front without ids; false when the lane has none.
local function bring_up(name, lane)
  local sections = sections_of(name, lane)
  local number = redis.call("ZPOPMIN", sections)[1]
  if not number then return false end
  redis.call("RENAME", section_of(name, lane, number), front_of(name, lane))
  last_sections[sections] = nil
  return true
end

-- Takes an id out of the lane; whether others are left in it.
local function remove(name, lane, number, id)
  local list = section_of(name, lane, number)
  if number > 0 and redis.call("LREM", list, 1, id) == 1 then
    if redis.call("EXISTS", list) == 0 then
      redis.call("ZREM", sections_of(name, lane), number)
      last_sections[sections_of(name, lane)] = nil
    end
    return true
  end
  redis.call("LREM", front_of(name, lane), 1, id)
  return redis.call("EXISTS", front_of(name, lane)) == 1 or bring_up(name, lane)
end
