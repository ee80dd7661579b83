-- index: takes reports of an image into the indexes and out of them, unless somebody else changed the image meanwhile.
-- needs: call/context, reports/images, reports/terms, reports/layers, reports/orders, reports/beyond
-- writes: image-entries, images-stored
-- arguments: digest, the image's version, the change as JSON: the numbers of the terms to remove and the terms to add; the ids
--   of the reports that are gone; report, a further one, and most, how many are kept; of the newest one entry and sums; the
--   positions of the two parts of its facts, around the number, of its layers if report is there, and of the list of terms that stay
-- reply: 0 when the version is another one, else 1; then the ids of the reports that are too many
-- when memory is full: refused
local prefix = context.prefix
local DAY_MS = 86400000

local function take_out(reports, id)
  for at, known in ipairs(reports) do
    if known.id == id then return table.remove(reports, at) end
  end
end

-- The place of the report that is too many: the oldest, or the one before it where no other is from a day before the newest, as
-- comparisons with yesterday need one.
local function one_too_many(reports)
  local last, yesterday = #reports, reports[1].scanned - DAY_MS
  local is_needed = reports[last].scanned <= yesterday and reports[last - 1].scanned > yesterday
  return is_needed and last > 2 and last - 1 or last
end

-- Puts the report in its place among the image's, the newest first. Returns the ids of those that are too many.
local function put_in(reports, report, most)
  local at, dropped = 1, {}
  take_out(reports, report.id)
  while reports[at] and reports[at].scanned > report.scanned do at = at + 1 end
  table.insert(reports, at, report)
  while #reports > most do dropped[#dropped + 1] = table.remove(reports, one_too_many(reports)).id end
  return dropped
end

local function note_age(image)
  local oldest = math.huge
  for _, report in ipairs(image.reports) do oldest = math.min(oldest, report.stored) end
  redis.call("ZADD", prefix .. "images-stored", context.number_text(oldest), image.number)
end

return function(digest, version, json, head, tail, hashes, kept)
  local image, change, dropped = images.load(digest), cjson.decode(json), {}
  if image.version ~= tonumber(version) then return { 0 } end
  image.version = image.version + 1
  image.number = image.number or images.take_number(digest)
  terms.remove(image.number, change.removes, context.bytes_at(kept))
  terms.add(image.number, change.adds)
  local reports = image.reports or {}
  for _, id in ipairs(change.gone) do take_out(reports, id) end
  if change.report then
    dropped = put_in(reports, change.report, change.most)
    image.reports = reports
  end
  if change.entry then
    local facts = context.bytes_at(head) .. struct.pack(">I4", image.number) .. context.bytes_at(tail)
    redis.call("HSET", prefix .. "image-entries", image.number, change.entry)
    if change.report then layers.replace(image.number, context.bytes_at(hashes)) end
    orders.put(image, facts, change.sums)
    beyond.mark(digest, image.number)
  end
  if image.reports then note_age(image) end
  images.save(digest, image)
  return { 1, unpack(dropped) }
end
