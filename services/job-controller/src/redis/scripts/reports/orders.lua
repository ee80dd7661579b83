-- orders: images with a report in the orders of lists, and by repository.
-- needs: call/context, reports/report-totals
-- gives: put, locate, remove
-- writes: image-facts, images-worst, images-oldest, images-newest, images-epss, images-located
local prefix = context.prefix
local LOCATED = prefix .. "images-located"

local function inverted(bytes)
  return (string.gsub(bytes, ".", function(byte) return string.char(255 - string.byte(byte)) end))
end

-- Facts are what lists filter and order by (image-facts.ts): counts in 10 bytes, the digest, then 4 bytes of number, 6 of
-- time, 2 of flags, 3 of epss. In each order it stands behind what it is ordered by.
local function members(facts)
  local time, epss, rest = string.sub(facts, -11, -6), string.sub(facts, -3), string.sub(facts, 11)
  return {
    ["images-worst"] = facts, ["images-oldest"] = time .. rest, ["images-newest"] = inverted(time) .. rest,
    ["images-epss"] = epss .. rest,
  }
end

local function location_of(repository, facts)
  return repository .. "\0" .. string.sub(facts, 11, -12)
end

local function put_out(facts)
  for order, member in pairs(members(facts)) do redis.call("ZREM", prefix .. order, member) end
end

-- The image, which has a report, comes into a repository.
local function locate(image, repository)
  local facts = redis.call("HGET", prefix .. "image-facts", image.number)
  report_totals.add(repository, image.sums, 1)
  redis.call("ZADD", LOCATED, 0, location_of(repository, facts))
end

-- The image has another newest report, or its first one.
local function put(image, facts, sums)
  local before = redis.call("HGET", prefix .. "image-facts", image.number)
  if before then
    put_out(before)
    report_totals.recount(image, sums)
  else
    report_totals.count(image, sums, 1)
    for repository in pairs(image.locations) do redis.call("ZADD", LOCATED, 0, location_of(repository, facts)) end
  end
  image.sums = sums
  redis.call("HSET", prefix .. "image-facts", image.number, facts)
  for order, member in pairs(members(facts)) do redis.call("ZADD", prefix .. order, 0, member) end
end

local function remove(image)
  local facts = redis.call("HGET", prefix .. "image-facts", image.number)
  put_out(facts)
  report_totals.count(image, image.sums, -1)
  redis.call("HDEL", prefix .. "image-facts", image.number)
  for repository in pairs(image.locations) do redis.call("ZREM", LOCATED, location_of(repository, facts)) end
end

return { put = put, locate = locate, remove = remove }
