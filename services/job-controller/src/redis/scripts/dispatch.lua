-- dispatch: runs the operations of one call in order and answers each on its own.
-- needs: call/context, call/undo, record/tables, record/store
-- writes: jobs
-- KEYS: 1 the shard's jobs. ARGV: 1 now in ms; 2 the position of the first operation that is not refused when Redis' memory is
-- full, 0 for none; 3 the operations as MessagePack: for each a list of its number, by the order of their paths, and its
-- arguments, all of them text; from 4 on arguments that are bytes.
-- The reply is MessagePack too, which both sides read and write faster than Redis' own form: for each operation its reply, or
-- {err} with a reason as first word; then for each job whose fault was isolated its id and the cause.
local replies, operation, first_to_end = {}, nil, tonumber(ARGV[2])

local function run()
  return modules[operation[1]](unpack(operation, 2))
end

local operations = cmsgpack.unpack(ARGV[3])
-- A call without operations asks whether Redis runs the script and accepts writes: the field is never there, so nothing is
-- appended to a file or sent to a replica.
if #operations == 0 then redis.call("HDEL", KEYS[1], "") end
if #operations > 1 then
  -- most operations begin with a job's id, and those that begin with something else cost no more than a look-up
  local ids = {}
  for at, each in ipairs(operations) do ids[at] = each[2] or "" end
  store.fetch(ids)
end
for at, next_operation in ipairs(operations) do
  operation = next_operation
  -- A Redis whose memory is full refuses a script's writes, unless the first of them frees memory. What is under way must be able
  -- to end, so a write that frees nothing goes before it.
  if at == first_to_end then redis.call("HDEL", KEYS[1], "") end
  undo.forget()
  tables.recycle()
  local done, reply = xpcall(run, context.caught)
  if done then
    replies[at] = reply
  else
    undo.back_to(0)
    replies[at] = type(reply) == "table" and { err = reply.err } or { err = "SCRIPT_FAULT " .. reply }
  end
end
for _, write in ipairs(context.at_end) do write() end
for _, write in ipairs(context.afterwards) do
  local done, fault = xpcall(write, context.caught)
  if not done then context.faults[#context.faults + 1] = { "", fault } end
end
for _, fault in ipairs(context.faults) do replies[#replies + 1] = fault end
return cmsgpack.pack(replies)
