-- unique: who has a unique key. The shard that it falls to knows: the id of a job of that shard, or for a job of another one
-- a reservation, its id and a ticket. An operation in another shard than the key's is told how the key stands there: the hold.

-- Whether the job is of another shard than the other job: the tenth character says it.
local function is_elsewhere(id, other)
  return string.sub(id, 10, 10) ~= string.sub(other, 10, 10)
end

-- How a key stands: "held" or "ends" and the job that has it, "elsewhere" and the job and ticket of its reservation, or
-- nothing when it is free. One that a job left behind without its record is free.
local function key_state(key, hold, by)
  if hold ~= "" and hold ~= "reserved" then return hold, by end
  local holder = key ~= "" and redis.call("HGET", prefix .. "unique", key)
  if not holder then return end
  local reserved_for, ticket = string.match(holder, "^(%S+) (%S+)$")
  if reserved_for then return "elsewhere", reserved_for, ticket end
  local job = find(holder)
  if job then return job[COMMAND] == 0 and "held" or "ends", holder end
end

-- Refuses when another job has the key, or its reservation for this one was withdrawn.
local function check_unique(id, key, hold, by)
  if hold == "reserved" and redis.call("EXISTS", prefix .. "withdrawn:" .. by) == 1 then
    refuse("UNIQUE_RESERVED", id .. " " .. by)
  end
  local state, holder, ticket = key_state(key, hold, by)
  if not state or holder == id then return end
  if state == "elsewhere" then refuse("UNIQUE_RESERVED", holder .. " " .. ticket) end
  refuse(state == "held" and "UNIQUE_TAKEN" or "UNIQUE_ENDS", holder)
end
