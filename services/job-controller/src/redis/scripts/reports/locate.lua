-- locate: notes that a repository has an image, with tags that it has gained or lost there.
-- needs: call/context, reports/images, reports/orders, reports/beyond
-- arguments: digest, repository, 1 when the tags were gained or 0 when they were lost, tags
-- reply: 1 when the image is listed in the repository, else 0
-- when memory is full: refused

-- An image is listed in so many repositories, and in each with so many tags, the latest; in all with tags of so many bytes.
local MOST_REPOSITORIES, MOST_TAGS, MOST_TAG_BYTES = 250, 100, 32768

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

local function measure(locations)
  local number, tag_bytes = 0, 0
  for _, tags in pairs(locations) do number, tag_bytes = number + 1, tag_bytes + #tags end
  return number, tag_bytes
end

return function(digest, repository, gained, ...)
  gained = gained == "1"
  local image = images.load(digest)
  local before = image.locations[repository]
  if not before and not gained then return 0 end
  local number, tag_bytes = measure(image.locations)
  if not before and number >= MOST_REPOSITORIES then beyond.note(digest, image.number, repository) return 0 end
  local tags = gained and tag_bytes >= MOST_TAG_BYTES and {} or { ... }
  image.locations[repository] = changed(before or "", gained, tags)
  if gained then image.seen = context.now end
  if not before and image.sums then orders.locate(image, repository) end
  images.save(digest, image)
  return 1
end
