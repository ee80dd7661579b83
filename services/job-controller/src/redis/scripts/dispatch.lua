-- dispatch: runs the operations of one call in order and answers each on its own.
-- ARGV: now, then the operations as MessagePack: for each a list of its name and its arguments, all of them text; then
-- what is bytes, which an argument names by its place.
-- The reply is MessagePack too, which both sides read and write faster than Redis' own form.
-- An operation that fails leaves the others alone: its reply is {err}, whose first word is the reason.
local replies = {}
for at, operation in ipairs(cmsgpack.unpack(ARGV[2])) do
  refusal = nil
  local done, reply = pcall(transitions[operation[1]], unpack(operation, 2))
  replies[at] = done and reply or refusal or { err = "SCRIPT_FAULT " .. operation[1] .. ": " .. tostring(reply) }
end
write_records()
for name, counted in pairs(changes) do
  for status, by in ipairs(counted) do
    if by ~= 0 then redis.call("HINCRBY", counts, name .. ":" .. status, by) end
  end
end
write_rates()
for name in pairs(ready_names) do redis.call("PUBLISH", prefix .. "signals", "ready " .. name) end
if earliest_due then redis.call("PUBLISH", prefix .. "signals", string.format("due %.0f", earliest_due)) end
if earliest_hook then redis.call("PUBLISH", prefix .. "signals", string.format("hook %.0f", earliest_hook)) end
return cmsgpack.pack(replies)
