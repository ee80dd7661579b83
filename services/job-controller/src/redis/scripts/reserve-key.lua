-- reserve-key: holds a unique key, which falls to this shard, for a job of another one, before that is launched or retried.
-- arguments: key, id, ticket: the time in ms and what makes it one of its own
-- reply: "reserved" and the ticket, that of the job's earlier reservation if it has one; "held" or "ends" and the job of
--   this shard that has the key; or "elsewhere", the job of another one and its ticket
local FIRST_LOOK_MS = 10000

transitions["reserve-key"] = function(key, id, ticket)
  local holder = redis.call("HGET", prefix .. "unique", key)
  local reserved_for, its_ticket = string.match(holder or "", "^(%S+) (%S+)$")
  if reserved_for == id then return { "reserved", its_ticket } end
  if reserved_for then return { "elsewhere", reserved_for, its_ticket } end
  local job = holder and find(holder)
  if job then return { job[COMMAND] == 0 and "held" or "ends", holder } end
  redis.call("HSET", prefix .. "unique", key, id .. " " .. ticket)
  redis.call("ZADD", prefix .. "reserved", now + FIRST_LOOK_MS, key)
  return { "reserved", ticket }
end
