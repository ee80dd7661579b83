-- forget: an image has no report any more, and is in no index; its terms were removed before. Where it is stays known, unless
--   nothing named it since the time.
-- needs: call/context, reports/images, reports/layers, reports/orders, reports/beyond
-- reads: image-terms
-- writes: image-entries, images-stored, locations-beyond
-- arguments: digest, the image's version, the time in ms
-- reply: 0 when the version is another one or the image has terms, else 1
local prefix = context.prefix

return function(digest, version, since)
  local image = images.load(digest)
  if image.version ~= tonumber(version) then return 0 end
  if image.number then
    if redis.call("HEXISTS", prefix .. "image-terms", image.number) == 1 then return 0 end
    if image.sums then orders.remove(image) end
    layers.replace(image.number, "")
    redis.call("HDEL", prefix .. "image-entries", image.number)
    redis.call("ZREM", prefix .. "images-stored", image.number)
    beyond.unmark(image.number)
    images.free_number(image.number)
    image.number, image.sums, image.reports = nil, nil, nil
  end
  if image.seen < tonumber(since) then
    image.locations = {}
    redis.call("UNLINK", prefix .. "locations-beyond:" .. digest)
  end
  image.version = image.version + 1
  images.save(digest, image)
  return 1
end
