-- context: what every module of a call stands on: the time, the keys of the shard, refusals.
-- gives: now, prefix, bytes_at, refuse, caught
local context = {
  -- the controller's clock, in ms since 1970
  now = tonumber(ARGV[1]),
  -- KEYS[1] is {drydock:<shard>}:jobs; the scripts make the shard's other keys from its prefix
  prefix = string.sub(KEYS[1], 1, -5),
}

-- An argument that is bytes: the operation names its position in ARGV.
function context.bytes_at(position)
  return ARGV[tonumber(position)]
end

-- Ends the operation with a named error, such as "JOB_NOT_FOUND <id>".
function context.refuse(reason, subject)
  error({ is_refusal = true, err = reason .. " " .. subject })
end

-- The handler for xpcall: leaves a refusal as it is, and makes any other error a text that says where it was raised. Level 4 is
-- the caller of redis.call, which adds no position itself.
function context.caught(thrown)
  if type(thrown) ~= "table" then return tostring(thrown) end
  if thrown.is_refusal then return thrown end
  local _, position = pcall(error, "", 4)
  return position .. thrown.err
end

return context
