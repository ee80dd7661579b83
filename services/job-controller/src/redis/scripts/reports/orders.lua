-- orders: images with a report in the orders of lists: by their record, by time, and by repository.
-- needs: call/context, reports/report-totals
-- gives: put, locate, remove
-- writes: image-records, images-worst, images-scanned, images-located
local prefix = context.prefix
local WORST, SCANNED, LOCATED = prefix .. "images-worst", prefix .. "images-scanned", prefix .. "images-located"

-- A record is what lists filter and order by (image-record.ts): counts in 10 bytes, the digest, then 4 bytes of number, 6 of
-- time, flags and scanner.
local function time_of(record)
  return string.sub(record, -8, -3)
end

local function location_of(repository, record)
  return repository .. "\0" .. string.sub(record, 11, -9)
end

local function put_out(record)
  redis.call("ZREM", WORST, record)
  redis.call("ZREM", SCANNED, time_of(record) .. record)
end

-- The image comes into a repository.
local function locate(image, repository, record)
  report_totals.add(repository, image.sums, 1)
  redis.call("ZADD", LOCATED, 0, location_of(repository, record))
end

-- The image has another newest report, or its first one.
local function put(image, record, sums)
  local before = redis.call("HGET", prefix .. "image-records", image.number)
  if before then
    put_out(before)
    report_totals.add("", image.sums, -1)
    for repository in pairs(image.places) do report_totals.add(repository, image.sums, -1) end
  end
  image.sums = sums
  redis.call("HSET", prefix .. "image-records", image.number, record)
  redis.call("ZADD", WORST, 0, record)
  redis.call("ZADD", SCANNED, 0, time_of(record) .. record)
  report_totals.add("", sums, 1)
  for repository in pairs(image.places) do
    if before then report_totals.add(repository, sums, 1) else locate(image, repository, record) end
  end
end

local function remove(image, record)
  put_out(record)
  redis.call("HDEL", prefix .. "image-records", image.number)
  report_totals.add("", image.sums, -1)
  for repository in pairs(image.places) do
    report_totals.add(repository, image.sums, -1)
    redis.call("ZREM", LOCATED, location_of(repository, record))
  end
end

return { put = put, locate = locate, remove = remove }
