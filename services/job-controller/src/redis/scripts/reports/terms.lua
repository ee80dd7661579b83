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

-- The image has these terms too, which it did not have.
local function add(number, texts)
  if #texts == 0 then return end
  local added = {}
  for at, text in ipairs(texts) do
    local term = number_of(text)
    postings.add(prefix .. "found:" .. term, "", number)
    added[at] = struct.pack(">I4", term)
  end
  local list = redis.call("HGET", prefix .. "image-terms", number) or ""
  save(number, list .. table.concat(added))
end

-- The image has these terms no more, which are given by number, and keeps those of the list: to look for them in a long list
-- would take too long.
local function remove(number, gone, kept)
  if #gone == 0 then return end
  for _, term in ipairs(gone) do unpost(term, number) end
  save(number, kept)
end

return { add = add, remove = remove }
