-- chunks: the log of a job is a list of chunks of the same size in bytes; the last one may be shorter.
-- needs: call/context
-- gives: key_of, length, append, read
-- reads: log
-- writes: log

-- Four fill a node of a list in Redis, 8 KiB, but for a few bytes. An append writes the last one again.
local CHUNK_BYTES = 2000

local function key_of(id)
  return context.prefix .. "log:" .. id
end

-- The last chunk, false without one, and whether the key has a log in the form of builds before version 0.1, a stream.
local function tail_of(key)
  local tail = redis.pcall("LINDEX", key, -1)
  if type(tail) == "table" then return false, true end
  return tail, false
end

local function length(id)
  local key = key_of(id)
  local tail = tail_of(key)
  return tail and (redis.call("LLEN", key) - 1) * CHUNK_BYTES + #tail or 0
end

local function append(id, text)
  local key, chunks = key_of(id), {}
  local tail, is_stream = tail_of(key)
  local room = tail and CHUNK_BYTES - #tail or 0
  if room > 0 then redis.call("LSET", key, -1, tail .. string.sub(text, 1, room)) end
  for at = room + 1, #text, CHUNK_BYTES do chunks[#chunks + 1] = string.sub(text, at, at + CHUNK_BYTES - 1) end
  if is_stream then redis.call("UNLINK", key) end
  if #chunks > 0 then redis.call("RPUSH", key, unpack(chunks)) end
end

-- The text from an offset on, of `most` chunks at most.
local function read(id, offset, most)
  local first = math.floor(offset / CHUNK_BYTES)
  local chunks = redis.pcall("LRANGE", key_of(id), first, first + most - 1)
  return chunks.err and "" or string.sub(table.concat(chunks), offset - first * CHUNK_BYTES + 1)
end

return { key_of = key_of, length = length, append = append, read = read }
