-- place: notes that a repository has an image, with tags that it has gained and lost there.
-- needs: call/context, reports/images, reports/orders
-- reads: image-records
-- arguments: digest, repository, tags gained and tags lost, each in one text with a blank between two
-- reply: 1 when the image has a place in the repository, else 0
-- when memory is full: refused

-- An image is noted in so many repositories, and in each with so many tags, the latest.
local MOST_REPOSITORIES, MOST_TAGS = 1000, 100

-- The tags without those that were gained or lost, and behind them those that were gained.
local function changed(tags, gained, lost)
  local is_other, list = {}, {}
  for tag in string.gmatch(gained .. " " .. lost, "%S+") do is_other[tag] = true end
  for tag in string.gmatch(tags, "%S+") do
    if not is_other[tag] then list[#list + 1] = tag end
  end
  for tag in string.gmatch(gained, "%S+") do list[#list + 1] = tag end
  return table.concat(list, " ", math.max(1, #list - MOST_TAGS + 1))
end

local function count(places)
  local number = 0
  for _ in pairs(places) do number = number + 1 end
  return number
end

return function(digest, repository, gained, lost)
  local image = images.load(digest)
  local before = image.places[repository]
  if not before and (lost ~= "" or count(image.places) >= MOST_REPOSITORIES) then return 0 end
  local tags = changed(before or "", gained, lost)
  if lost == "" then image.seen = context.now end
  -- nothing is left of an image that was not scanned and that no tag points at
  if tags == "" and lost ~= "" and not image.number then tags = nil end
  image.places[repository] = tags
  if not before and image.sums then
    orders.locate(image, repository, redis.call("HGET", context.prefix .. "image-records", image.number))
  end
  images.save(digest, image)
  return 1
end
