-- report-totals: what the newest reports of a repository come to, and those of all, which are under the empty name.
-- needs: call/context
-- gives: add, count, recount
-- writes: report-totals
local key = context.prefix .. "report-totals"

-- Adds the sums of an image, the number of images first; the sign is 1 or -1.
local function add(repository, sums, sign)
  local text = redis.call("HGET", key, repository)
  local totals = text and cjson.decode(text) or {}
  for at, sum in ipairs(sums) do totals[at] = (totals[at] or 0) + sign * sum end
  if totals[1] <= 0 then redis.call("HDEL", key, repository) return end
  redis.call("HSET", key, repository, cjson.encode(totals))
end

-- Adds them in all, and in each repository that the image is in.
local function count(image, sums, sign)
  add("", sums, sign)
  for repository in pairs(image.locations) do add(repository, sums, sign) end
end

-- The image has other sums; often they are the same as before, and it may be in many repositories.
local function recount(image, sums)
  local differences, is_other = {}, false
  for at, sum in ipairs(sums) do
    differences[at] = sum - image.sums[at]
    is_other = is_other or differences[at] ~= 0
  end
  if is_other then count(image, differences, 1) end
end

return { add = add, count = count, recount = recount }
