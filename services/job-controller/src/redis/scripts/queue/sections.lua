-- sections: a lane is cut into lists of at most 200 ids, its sections, and a job notes in which it stands, so that it is found
-- at once however many wait. Claims take from the front section, which has the number 0; when that is empty the next one takes
-- its place, and its jobs keep the number that they noted. Only what is given back makes the front longer.
-- needs: call/context
-- gives: front_of, append, prepend, bring_up, remove
-- reads: sections
-- writes: ready, section, sections
local sections = {}
local MOST_IN_SECTION = 200
local prefix = context.prefix
-- by key of a lane's sections: the number of the last one, of the lanes to which this call added jobs
local last_numbers = {}

local function key_of(name, lane)
  return prefix .. "sections:" .. name .. ":" .. lane
end

function sections.front_of(name, lane)
  return prefix .. "ready:" .. name .. ":" .. lane
end

local function list_of(name, lane, number)
  return number == 0 and sections.front_of(name, lane) or prefix .. "section:" .. name .. ":" .. number .. ":" .. lane
end

-- Adds an id at the end of the lane; the number of its section, and how many that has.
function sections.append(name, lane, id)
  local key = key_of(name, lane)
  local number = last_numbers[key] or tonumber(redis.call("ZRANGE", key, -1, -1)[1] or 0)
  local list = list_of(name, lane, number)
  local length = redis.call("RPUSH", list, id)
  if length > MOST_IN_SECTION then
    number = number + 1
    redis.call("LMOVE", list, list_of(name, lane, number), "RIGHT", "RIGHT")
    redis.call("ZADD", key, number, number)
  end
  last_numbers[key] = number
  return number, length
end

-- Adds an id at the front of the lane; the same.
function sections.prepend(name, lane, id)
  return 0, redis.call("LPUSH", sections.front_of(name, lane), id)
end

-- Lets the next section take the place of a front without ids; false when the lane has none.
function sections.bring_up(name, lane)
  local key = key_of(name, lane)
  local number = redis.call("ZPOPMIN", key)[1]
  if not number then return false end
  redis.call("RENAME", list_of(name, lane, number), sections.front_of(name, lane))
  last_numbers[key] = nil
  return true
end

-- Takes an id out of the lane; whether others are left in it.
function sections.remove(name, lane, number, id)
  local list = list_of(name, lane, number)
  if number > 0 and redis.call("LREM", list, 1, id) == 1 then
    if redis.call("EXISTS", list) == 0 then
      redis.call("ZREM", key_of(name, lane), number)
      last_numbers[key_of(name, lane)] = nil
    end
    return true
  end
  redis.call("LREM", sections.front_of(name, lane), 1, id)
  return redis.call("EXISTS", sections.front_of(name, lane)) == 1 or sections.bring_up(name, lane)
end

return sections
