-- dispatch: runs the operations of one call in order and answers each on its own.
-- needs: call/context, call/signals, call/totals, call/isolate, record/store
-- writes: jobs
-- KEYS: 1 the shard's jobs. ARGV: 1 now in ms; 2 the operations as MessagePack: for each a list of its name, which is the path of
-- its file, and its arguments, all of them text; from 3 on arguments that are bytes.
-- The reply is MessagePack too, which both sides read and write faster than Redis' own form: for each operation its reply, or
-- {err} with a reason as first word; then for each job whose fault was isolated its id and the cause.
local replies, may_write, operation = {}, false, nil

local function run()
  return modules[operation[1]](unpack(operation, 2))
end

for at, next_operation in ipairs(cmsgpack.unpack(ARGV[2])) do
  operation = next_operation
  -- A Redis whose memory is full refuses a script's writes, unless the first of them frees memory. What is under way must be able
  -- to end, so a write that frees nothing goes before all operations but those that may be refused.
  if not may_write and not refused_when_full[operation[1]] then
    redis.call("HDEL", KEYS[1], "")
    may_write = true
  end
  local outer = store.begin()
  local done, reply = xpcall(run, context.caught)
  if done then
    replies[at] = reply
  else
    store.roll_back(outer)
    replies[at] = type(reply) == "table" and { err = reply.err } or { err = "SCRIPT_FAULT " .. operation[1] .. ": " .. reply }
  end
end
for _, fault in ipairs(isolate.faults) do replies[#replies + 1] = fault end
store.write()
totals.write()
signals.publish()
return cmsgpack.pack(replies)
