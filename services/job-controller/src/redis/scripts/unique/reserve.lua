-- reserve: holds a unique key, which falls to this shard, for a job of another one, before that is launched or retried.
-- needs: call/context, unique/keys
-- writes: unique, reserved
-- arguments: key, id, ticket: the time in ms, what makes it one of its own, and the request of the launch if it has one
-- reply: "reserved" and the ticket, that of the job's earlier reservation if it has one; "held" or "ends" and the job of
--   this shard that has the key; or "elsewhere", the job of another one and its ticket
-- when memory is full: refused
local FIRST_LOOK_MS = 10000

return function(key, id, ticket)
  local state, holder, its_ticket = keys.state(key, "", "")
  if state == "elsewhere" and holder == id then return { "reserved", its_ticket } end
  if state then return { state, holder, its_ticket } end
  redis.call("HSET", context.prefix .. "unique", key, id .. " " .. ticket)
  redis.call("ZADD", context.prefix .. "reserved", context.now + FIRST_LOOK_MS, key)
  return { "reserved", ticket }
end
