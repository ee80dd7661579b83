-- drop: takes a report out of the indexes; an image goes with its newest report, some of its terms at a time.
-- needs: call/context, reports/images, reports/terms, reports/layers, reports/orders
-- reads: image-records
-- writes: image-entries, images-stored
-- arguments: digest, the report's id
-- reply: 1 when there is more to do, else 0; then the ids of the older reports that go with it
local MOST_TERMS = 200
local prefix = context.prefix

local function forget(image)
  orders.remove(image, redis.call("HGET", prefix .. "image-records", image.number))
  layers.replace(image.number, "")
  redis.call("HDEL", prefix .. "image-entries", image.number)
  redis.call("ZREM", prefix .. "images-stored", image.number)
  images.free_number(image.number)
  image.number, image.sums, image.reports = nil, nil, nil
end

return function(digest, report_id)
  local image, reply = images.load(digest), { 0 }
  local reports = image.reports or {}
  image.version = image.version + 1
  for at, report in ipairs(reports) do
    if report.id == report_id then
      if at > 1 then
        table.remove(reports, at)
      elseif terms.remove_some(image.number, MOST_TERMS) then
        reply[1] = 1
      else
        for older = 2, #reports do reply[older] = reports[older].id end
        forget(image)
      end
      images.save(digest, image)
      break
    end
  end
  return reply
end
