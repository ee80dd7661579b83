-- stream: the log of a job's run is a stream; the id of an entry is the offset behind its text, in bytes.
-- needs: call/context
-- gives: key_of, length
-- reads: log

local function key_of(id)
  return context.prefix .. "log:" .. id
end

local function length(id)
  local last = redis.call("XREVRANGE", key_of(id), "+", "-", "COUNT", 1)[1]
  return last and tonumber(string.match(last[1], "^%d+")) or 0
end

return { key_of = key_of, length = length }
