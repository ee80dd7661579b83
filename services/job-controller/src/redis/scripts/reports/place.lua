-- place: notes that a repository has an image, with tags that it has gained or lost there.
-- needs: call/context, reports/images, reports/orders
-- arguments: digest, repository, 1 when the tags were gained or 0 when they were lost, tags
-- reply: 1 when the image has a place in the repository, else 0
-- when memory is full: refused

-- An image is noted in so many repositories, and in each with so many tags, the latest.
local MOST_REPOSITORIES, MOST_TAGS = 1000, 100

-- The tags without those named, which come last when they are gained.
local function changed(tags, gained, named)
  local is_named, list = {}, {}
  for _, tag in ipairs(named) do is_named[tag] = true end
  for tag in string.gmatch(tags, "%S+") do
    if not is_named[tag] then list[#list + 1] = tag end
  end
  if gained then
    for tag in pairs(is_named) do list[#list + 1] = tag end
  end
  return table.concat(list, " ", math.max(1, #list - MOST_TAGS + 1))
end

local function count(places)
  local number = 0
  for _ in pairs(places) do number = number + 1 end
  return number
end

return function(digest, repository, gained, ...)
  gained = gained == "1"
  local image = images.load(digest)
  local before = image.places[repository]
  if not before and (not gained or count(image.places) >= MOST_REPOSITORIES) then return 0 end
  image.places[repository] = changed(before or "", gained, { ... })
  if gained then image.seen = context.now end
  if not before and image.sums then orders.locate(image, repository) end
  images.save(digest, image)
  return 1
end
