-- keys: who has a unique key. The shard that the key falls to knows: the id of a job of that shard, or for a job of another
-- shard its reservation, "id ticket". A script in another shard than the key's gets how the key stands there as arguments: hold and by.
-- needs: call/context, record/store
-- gives: is_elsewhere, state, taken, check, age_of
-- reads: unique, withdrawn
local prefix = context.prefix

-- Whether the job is of another shard than the other job: the tenth character says it.
local function is_elsewhere(id, other)
  return string.sub(id, 10, 10) ~= string.sub(other, 10, 10)
end

-- How a key stands: "held" or "ends" and the job that has it, "elsewhere" and the job and ticket of its reservation, or
-- nothing when it is free. A key that a job left behind without its record is free.
local function state(key, hold, by)
  if hold ~= "" and hold ~= "reserved" then return hold, by end
  local holder = key ~= "" and redis.call("HGET", prefix .. "unique", key)
  if not holder then return end
  local reserved_for, ticket = string.match(holder, "^(%S+) (%S+)$")
  if reserved_for then return "elsewhere", reserved_for, ticket end
  local job = store.find(holder)
  if job then return job.command == 0 and "held" or "ends", holder end
end

-- Whether another job has the key: "held" or "ends" and that job, or nothing. Refuses with UNIQUE_RESERVED when only another
-- shard can tell, or when the reservation for this job was withdrawn.
local function taken(id, key, hold, by)
  if hold == "reserved" and redis.call("EXISTS", prefix .. "withdrawn:" .. by) == 1 then
    context.refuse("UNIQUE_RESERVED", id .. " " .. by)
  end
  local state, holder, ticket = state(key, hold, by)
  if not state or holder == id then return end
  if state == "elsewhere" then context.refuse("UNIQUE_RESERVED", holder .. " " .. ticket) end
  return state, holder
end

-- Refuses with UNIQUE_TAKEN or UNIQUE_ENDS when another job has the key, and as `taken` does.
local function check(id, key, hold, by)
  local state, holder = taken(id, key, hold, by)
  if state then context.refuse(state == "held" and "UNIQUE_TAKEN" or "UNIQUE_ENDS", holder) end
end

-- How long ago the reservation was made; a clock that is ahead counts as much as one that is behind.
local function age_of(ticket)
  return math.abs(context.now - tonumber(string.match(ticket, "^%d+")))
end

return { is_elsewhere = is_elsewhere, state = state, taken = taken, check = check, age_of = age_of }
