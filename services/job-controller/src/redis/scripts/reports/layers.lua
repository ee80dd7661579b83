-- layers: which images have a layer, by the first eight bytes of a hash of its name.
-- needs: call/context, reports/postings
-- gives: replace
-- writes: layers, image-layers
local prefix = context.prefix

-- Few layers in each hash, so that Redis keeps it packed.
local function key_of(hash)
  local first, second = string.byte(hash, 1, 2)
  return prefix .. "layers:" .. first * 16 + math.floor(second / 16)
end

-- The image has these layers, hash behind hash, and no others.
local function replace(number, hashes)
  local before = redis.call("HGET", prefix .. "image-layers", number) or ""
  if before == hashes then return end
  for at = 1, #before, 8 do
    local hash = string.sub(before, at, at + 7)
    postings.remove(key_of(hash), hash, number)
  end
  for at = 1, #hashes, 8 do
    local hash = string.sub(hashes, at, at + 7)
    postings.add(key_of(hash), hash, number)
  end
  if hashes == "" then redis.call("HDEL", prefix .. "image-layers", number)
  else redis.call("HSET", prefix .. "image-layers", number, hashes) end
end

return { replace = replace }
