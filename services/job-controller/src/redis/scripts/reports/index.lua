-- index: takes a report of an image into the indexes, or some of its terms, unless somebody else changed the image meanwhile.
-- needs: call/context, reports/images, reports/terms, reports/layers, reports/orders
-- writes: image-entries, images-stored
-- arguments: digest, the image's version, the change as JSON: terms to add and to remove, and report with most, how many
--   reports an image may have, and of the newest one entry and sums; the positions of the two parts of its record, around
--   the number, and of its layers
-- reply: 0 when the version is another one, else 1; then the ids of the reports that are too many
-- when memory is full: refused
local prefix = context.prefix

-- Puts the report in its place among the image's, the newest first. Returns the ids of those that are too many.
local function note(image, report, most)
  local reports, dropped = image.reports or {}, {}
  for at, known in ipairs(reports) do
    if known.id == report.id then
      report.stored = known.stored
      table.remove(reports, at)
      break
    end
  end
  local at = 1
  while reports[at] and reports[at].scanned > report.scanned do at = at + 1 end
  table.insert(reports, at, report)
  while #reports > most do dropped[#dropped + 1] = table.remove(reports).id end
  image.reports = reports
  return dropped
end

return function(digest, version, json, head, tail, hashes)
  local image, change = images.load(digest), cjson.decode(json)
  if image.version ~= tonumber(version) then return { 0 } end
  image.version = image.version + 1
  image.number = image.number or images.take_number(digest)
  terms.add(image.number, change.adds)
  terms.remove(image.number, change.removes)
  local dropped = {}
  if change.report then
    dropped = note(image, change.report, change.most)
    if change.entry then
      local record = context.bytes_at(head) .. struct.pack(">I4", image.number) .. context.bytes_at(tail)
      redis.call("HSET", prefix .. "image-entries", image.number, change.entry)
      redis.call("ZADD", prefix .. "images-stored", context.number_text(image.reports[1].stored), image.number)
      layers.replace(image.number, context.bytes_at(hashes))
      orders.put(image, record, change.sums)
    end
  end
  images.save(digest, image)
  return { 1, unpack(dropped) }
end
