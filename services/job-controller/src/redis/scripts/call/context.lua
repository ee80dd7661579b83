-- context: what every module of a call stands on: the time, the keys of the shard, refusals.
-- gives: now, prefix, number_text, bytes_at, refuse, caught, faults, at_end,
--   afterwards

-- the controller's clock, in ms since 1970
local now = tonumber(ARGV[1])
-- KEYS[1] is {drydock:<shard>}:jobs; the scripts make the shard's other keys from its prefix
local prefix = string.sub(KEYS[1], 1, -5)

-- The numbers that most commands take, as text: Lua and Redis make text of a number with printf, which is slow.
local texts = { [now] = ARGV[1], [0] = "0", "1", "2", "3", "4", "5", "6", "7", [-1] = "-1" }

-- A whole number as text.
local function number_text(number)
  return texts[number] or string.format("%.0f", number)
end

-- An argument that is bytes: the operation names its position in ARGV.
local function bytes_at(position)
  return ARGV[tonumber(position)]
end

-- Ends the operation with a named error, such as "JOB_NOT_FOUND <id>".
local function refuse(reason, subject)
  error({ is_refusal = true, reason = reason, err = reason .. " " .. subject })
end

-- The handler for xpcall: leaves a refusal as it is, and makes any other error a text that says where it was raised. Level 4 is
-- the caller of redis.call, which adds no position itself.
local function caught(thrown)
  if type(thrown) ~= "table" then return tostring(thrown) end
  if thrown.is_refusal then return thrown end
  local _, position = pcall(error, "", 4)
  return position .. thrown.err
end

-- Lists of a job's id and the cause, for each job whose fault was isolated; the controller logs them.
local faults = {}
-- Functions of modules that gather changes, which write them at the end of the call. Without what is in at_end the jobs would
-- be lost: a fault there fails the whole call. A fault in afterwards is reported and undoes nothing.
local at_end, afterwards = {}, {}

return { now = now, prefix = prefix, number_text = number_text, bytes_at = bytes_at, refuse = refuse, caught = caught,
  faults = faults, at_end = at_end, afterwards = afterwards }
