-- report-totals: what the newest reports of a repository come to, and those of all, which are under the empty name.
-- needs: call/context
-- gives: add
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

return { add = add }
