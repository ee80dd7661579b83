-- totals: how many jobs of a type stand in each status, and how many are launched and end in a minute. Gathered during the
-- call and written once, one command for each total.
-- needs: call/context
-- gives: add, launched, ended
-- writes: counts, rates
local MINUTE_MS, RATES_SECONDS = 60000, "300"
local number_text = context.number_text
-- by job type: the change for each status, by its number
local changes = {}
-- by job type; not taken back with an operation that fails, since the rates only tell operators how busy a queue is
local launched, ended = {}, {}

-- Adds `by` to the number of the type's jobs in the status.
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

local function write_rate(name, count)
  local rates = context.prefix .. "rates:" .. math.floor(context.now / MINUTE_MS)
  local is_new = redis.call("HINCRBY", rates, name, number_text(count)) == count
  if is_new then redis.call("EXPIRE", rates, RATES_SECONDS) end
end

local function write()
  local counts = context.prefix .. "counts"
  for name, change in pairs(changes) do
    for status, by in ipairs(change) do
      if by ~= 0 then redis.call("HINCRBY", counts, name .. ":" .. number_text(status), number_text(by)) end
    end
  end
  for name, count in pairs(launched) do write_rate(name .. ":launched", count) end
  for name, count in pairs(ended) do write_rate(name .. ":ended", count) end
end

context.afterwards[#context.afterwards + 1] = write

return { add = add, launched = count_launch, ended = count_end }
