-- dispatch: runs the operations of one call in order and answers each on its own.
-- ARGV: now, then the operations as MessagePack: for each a list of its name and its arguments, all of them text; then
-- what is bytes, which an argument names by its place.
-- The reply is MessagePack too, which both sides read and write faster than Redis' own form.
-- An operation that fails leaves the others alone: its reply is {err}, whose first word is the reason. Behind the replies
-- are the faults of jobs that operations left out.
-- When Redis' memory is full it refuses a script's writes, unless one that frees some came first: what is under way must be
-- able to end, so such a write, of nothing, goes before all but these.
local may_be_refused = { launch = true, ["launch-sub-job"] = true, ["reserve-key"] = true, fire = true, ["append-log"] = true,
  ["put-report"] = true, read = true, list = true, ["read-log"] = true, ["queue-state"] = true, running = true, ranks = true,
  ["failed-hooks"] = true, ["list-running"] = true, ["due-periodic"] = true }
local replies, frees = {}, false
for at, operation in ipairs(cmsgpack.unpack(ARGV[2])) do
  refusal, records_before = nil, {}
  if not frees and not may_be_refused[operation[1]] then
    redis.call("HDEL", jobs, "")
    frees = true
  end
  local done, reply = pcall(transitions[operation[1]], unpack(operation, 2))
  if not done then take_back_records() end
  replies[at] = done and reply or refusal or { err = "SCRIPT_FAULT " .. operation[1] .. ": " .. tostring(reply) }
end
for _, fault in ipairs(faults) do replies[#replies + 1] = fault end
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
