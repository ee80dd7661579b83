-- note-found: notes when findings were first found, where that is not known.
-- needs: call/context
-- writes: first-found
-- arguments: the time, how many may be noted, keys of findings
-- reply: the time that is noted for each key; 0 for one for which there is no room
-- when memory is full: refused
return function(at, most, ...)
  local first_found = context.prefix .. "first-found"
  local room = tonumber(most) - redis.call("HLEN", first_found)
  local times = {}
  for number, key in ipairs({ ... }) do
    local known = redis.call("HGET", first_found, key)
    if not known and room > 0 then
      redis.call("HSET", first_found, key, at)
      room = room - 1
      known = at
    end
    times[number] = tonumber(known or 0)
  end
  return times
end
