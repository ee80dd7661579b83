-- totals: how many jobs of a type stand in each status, and how many are launched and end in a minute. Gathered during the
-- call and written once, one command for each total.
-- needs: call/context
-- gives: add, launched, ended
-- writes: counts, rates
local MINUTE_MS, RATES_SECONDS = 60000, 300
-- by job type: the change for each status, by its number
local changes = {}
-- by job type; not taken back with an operation that fails, since the rates only tell operators how busy a queue is
local launched, ended = {}, {}

-- Counts that by more jobs of the type stand in the status.
local function add(name, status, by)
  local change = changes[name]
  if not change then
    change = { 0, 0, 0, 0, 0, 0, 0 }
    changes[name] = change
  end
  change[status] = change[status] + by
end

local function count_launch(name)
  launched[name] = (launched[name] or 0) + 1
end

local function count_end(name)
  ended[name] = (ended[name] or 0) + 1
end

local function write_rates()
  if not next(launched) and not next(ended) then return end
  local rates = context.prefix .. "rates:" .. math.floor(context.now / MINUTE_MS)
  for name, count in pairs(launched) do redis.call("HINCRBY", rates, name .. ":launched", count) end
  for name, count in pairs(ended) do redis.call("HINCRBY", rates, name .. ":ended", count) end
  redis.call("EXPIRE", rates, RATES_SECONDS)
end

local function write()
  local counts = context.prefix .. "counts"
  for name, change in pairs(changes) do
    for status, by in ipairs(change) do
      if by ~= 0 then redis.call("HINCRBY", counts, name .. ":" .. status, by) end
    end
  end
  write_rates()
end

context.afterwards[#context.afterwards + 1] = write

return { add = add, launched = count_launch, ended = count_end }
