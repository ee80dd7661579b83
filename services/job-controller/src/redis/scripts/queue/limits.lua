-- limits: how many jobs of a type may run.
-- needs: call/context
-- gives: running_of, redis_now, rooms
-- reads: running, paused
local NO_LIMIT = 2 ^ 31

-- The jobs of a limited type that are held, each behind its fairness key, so that the jobs of a key are counted as a range.
local function running_of(name)
  return context.prefix .. "running:" .. name
end

-- The clock of Redis, by which claim turns end: the controller's time may be seconds old when Redis was held up.
local function redis_now()
  local seconds, microseconds = unpack(redis.call("TIME"))
  return seconds * 1000 + math.floor(microseconds / 1000)
end

-- How many more jobs of the type may run, and the same of a fairness key: jobs that run are counted, in the same script that
-- makes them run. Jobs without a key are not held to its limit.
local function rooms(name, most, most_of_key, elsewhere)
  local running, far = running_of(name), elsewhere ~= "" and cjson.decode(elsewhere) or nil
  local function room()
    if most == 0 then return NO_LIMIT end
    return most - redis.call("ZCARD", running) - (far and far.total or 0)
  end
  local function room_of(key)
    if key == "" then return NO_LIMIT end
    local count = redis.call("ZLEXCOUNT", running, "[" .. key .. " ", "(" .. key .. "!")
    return most_of_key - count - (far and far.keys[key] or 0)
  end
  local is_paused = redis.call("SISMEMBER", context.prefix .. "paused", name) == 1
  if is_paused or (far and redis_now() > far.until_ms) then room = function() return 0 end end
  return room, most_of_key > 0 and room_of or nil
end

return { running_of = running_of, redis_now = redis_now, rooms = rooms }
