-- terms: a term is a vulnerability of a package in a version, with its fix and its severity. Each has a number, and the images
-- that have it; each image has the list of its terms.
-- needs: call/context, reports/postings
-- gives: add, remove
-- reads: found
-- writes: terms, vulnerability, image-terms, image-numbers
local prefix = context.prefix

-- name is the vulnerability's, rest is package, version, fixed version and severity, each behind a zero byte.
local function parts_of(text)
  return string.match(text, "^(%Z*)%z(.*)$")
end

local function number_of(text)
  local name, rest = parts_of(text)
  local key = prefix .. "vulnerability:" .. name
  local known = redis.call("HGET", key, rest)
  if known then return tonumber(known) end
  local term = redis.call("HINCRBY", prefix .. "image-numbers", "terms", 1)
  redis.call("HSET", key, rest, term)
  redis.call("HSET", prefix .. "terms", term, text)
  return term
end

local function unpost(term, number)
  local key = prefix .. "found:" .. term
  postings.remove(key, "", number)
  if redis.call("EXISTS", key) == 1 then return end
  local name, rest = parts_of(redis.call("HGET", prefix .. "terms", term))
  redis.call("HDEL", prefix .. "terms", term)
  redis.call("HDEL", prefix .. "vulnerability:" .. name, rest)
end

local function save(number, list)
  if list == "" then redis.call("HDEL", prefix .. "image-terms", number) return end
  redis.call("HSET", prefix .. "image-terms", number, list)
end

local function list_of(number)
  return redis.call("HGET", prefix .. "image-terms", number) or ""
end

-- The image has these terms too, which it did not have.
local function add(number, texts)
  if #texts == 0 then return end
  local added = {}
  for at, text in ipairs(texts) do
    local term = number_of(text)
    postings.add(prefix .. "found:" .. term, "", number)
    added[at] = struct.pack(">I4", term)
  end
  save(number, list_of(number) .. table.concat(added))
end

-- The image has these terms no more, which are given by number.
local function remove(number, gone)
  if #gone == 0 then return end
  local is_gone, kept, list = {}, {}, list_of(number)
  for _, term in ipairs(gone) do is_gone[term] = true end
  for at = 1, #list, 4 do
    local term = struct.unpack(">I4", list, at)
    if is_gone[term] then unpost(term, number) else kept[#kept + 1] = string.sub(list, at, at + 3) end
  end
  save(number, table.concat(kept))
end

return { add = add, remove = remove }
