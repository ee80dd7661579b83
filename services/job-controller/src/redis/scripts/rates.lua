-- rates: how many jobs of each type are launched and end in a minute; one command for each type of a call.
local MINUTE_MS, RATES_SECONDS = 60000, 300

local function write_rates()
  if not next(launched) and not next(ended) then return end
  local rates = prefix .. "rates:" .. math.floor(now / MINUTE_MS)
  for name, jobs_of in pairs(launched) do redis.call("HINCRBY", rates, name .. ":launched", jobs_of) end
  for name, jobs_of in pairs(ended) do redis.call("HINCRBY", rates, name .. ":ended", jobs_of) end
  redis.call("EXPIRE", rates, RATES_SECONDS)
end
