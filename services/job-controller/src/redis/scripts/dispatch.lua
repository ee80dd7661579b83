-- dispatch: runs the operations of one call in order and answers each on its own.
-- ARGV: now, then for each operation its name, the count of its arguments and the arguments.
-- An operation that fails leaves the others alone: its reply is an error whose first word is the reason.
local replies, at = {}, 2
while at <= #ARGV do
  local name, argc = ARGV[at], tonumber(ARGV[at + 1])
  refusal = nil
  local done, reply = pcall(transitions[name], unpack(ARGV, at + 2, at + 1 + argc))
  replies[#replies + 1] = done and reply or refusal or { err = "SCRIPT_FAULT " .. name .. ": " .. tostring(reply) }
  at = at + 2 + argc
end
for field, by in pairs(changes) do
  if by ~= 0 then redis.call("HINCRBY", counts, field, by) end
end
for name in pairs(ready_names) do redis.call("PUBLISH", prefix .. "signals", "ready " .. name) end
if earliest_due then redis.call("PUBLISH", prefix .. "signals", string.format("due %.0f", earliest_due)) end
if earliest_hook then redis.call("PUBLISH", prefix .. "signals", string.format("hook %.0f", earliest_hook)) end
return replies
