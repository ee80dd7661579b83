-- postings: which images have something, by their numbers: a hash of blocks, in each the places of those that have it.
-- gives: add, remove
-- writes: found, layers, images-beyond

-- A block is a list of places of two bytes, or a bitmap once that is shorter. A list has an even length, so a bitmap is given
-- an odd one.
local BLOCK = 65536

local function is_bitmap(value)
  return #value % 2 == 1
end

local function set_bit(value, place, on)
  local at, bit_value = math.floor(place / 8) + 1, 2 ^ (place % 8)
  if at > #value then value = value .. string.rep("\0", at - #value + (at + 1) % 2) end
  local byte = string.byte(value, at)
  byte = on and bit.bor(byte, bit_value) or bit.band(byte, bit.bnot(bit_value))
  return string.sub(value, 1, at - 1) .. string.char(byte) .. string.sub(value, at + 1)
end

local function find_in(list, place)
  for at = 1, #list, 2 do
    local high, low = string.byte(list, at, at + 1)
    if high * 256 + low == place then return at end
  end
end

-- The list as a bitmap, if that is shorter.
local function shortened(list)
  local bytes, last = {}, 0
  for at = 1, #list, 2 do
    local place = struct.unpack(">I2", list, at)
    local index = math.floor(place / 8) + 1
    bytes[index] = bit.bor(bytes[index] or 0, 2 ^ (place % 8))
    last = math.max(last, index)
  end
  if last >= #list then return list end
  for index = 1, last + (last + 1) % 2 do bytes[index] = string.char(bytes[index] or 0) end
  return table.concat(bytes)
end

-- Notes the image in the hash; name stands before the number of the block in its fields.
local function add(key, name, number)
  local field, place = name .. math.floor(number / BLOCK), number % BLOCK
  local value = redis.call("HGET", key, field) or ""
  if is_bitmap(value) then
    value = set_bit(value, place, true)
  elseif not find_in(value, place) then
    value = value .. struct.pack(">I2", place)
    if #value % 64 == 0 then value = shortened(value) end
  end
  redis.call("HSET", key, field, value)
end

local function remove(key, name, number)
  local field, place = name .. math.floor(number / BLOCK), number % BLOCK
  local value = redis.call("HGET", key, field)
  if not value then return end
  if is_bitmap(value) then
    if place < 8 * #value then value = set_bit(value, place, false) end
    if not string.find(value, "[^%z]") then value = "" end
  else
    local at = find_in(value, place)
    if at then value = string.sub(value, 1, at - 1) .. string.sub(value, at + 2) end
  end
  if value == "" then redis.call("HDEL", key, field) else redis.call("HSET", key, field, value) end
end

return { add = add, remove = remove }
