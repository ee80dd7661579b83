-- images: what is known of a digest: the repositories and tags that have it, its reports, and the number that stands for it.
-- needs: call/context
-- gives: load, save, take_number, free_number
-- writes: images, image-numbers, image-free
local BLOCK = 65536
local prefix = context.prefix

-- A table of version, locations (repository -> its tags, in one text), and when a tag was last seen there; with an index entry also
-- number, reports (the newest first) and sums, what the newest one adds to totals.
local function load(digest)
  local text = redis.call("HGET", prefix .. "images", digest)
  if not text then return { version = 0, locations = {}, seen = 0 } end
  return cjson.decode(text)
end

local function save(digest, image)
  if not image.number and not next(image.locations) then redis.call("HDEL", prefix .. "images", digest) return end
  redis.call("HSET", prefix .. "images", digest, cjson.encode(image))
end

-- The six first bits of a digest are the block of its image's number, so that blocks are in the order of digests.
local function block_of(digest)
  return math.floor(tonumber(string.match(digest, ":(%x%x)") or "0", 16) / 4)
end

local function take_number(digest)
  local block = block_of(digest)
  local place = redis.call("LPOP", prefix .. "image-free:" .. block)
    or redis.call("HINCRBY", prefix .. "image-numbers", block, 1) - 1
  if tonumber(place) >= BLOCK then error("block " .. block .. " of the images is full: add shards") end
  return block * BLOCK + tonumber(place)
end

local function free_number(number)
  redis.call("RPUSH", prefix .. "image-free:" .. math.floor(number / BLOCK), number % BLOCK)
end

return { load = load, save = save, take_number = take_number, free_number = free_number }
