-- beyond: the repositories of a digest behind those in which it is listed, and the images that have such.
-- needs: call/context, reports/postings
-- gives: note, mark, unmark
-- writes: locations-beyond, images-beyond
local MOST = 99750
local MARKED = context.prefix .. "images-beyond"

local function key_of(digest)
  return context.prefix .. "locations-beyond:" .. digest
end

-- The image, which is in the indexes, may have such.
local function mark(digest, number)
  if redis.call("EXISTS", key_of(digest)) == 1 then postings.add(MARKED, "", number) end
end

-- The repository is one; the number is that of an image in the indexes, if it is.
local function note(digest, number, repository)
  local key = key_of(digest)
  if redis.call("SCARD", key) < MOST then redis.call("SADD", key, repository) end
  if number then mark(digest, number) end
end

-- The image goes from the indexes.
local function unmark(number)
  postings.remove(MARKED, "", number)
end

return { note = note, mark = mark, unmark = unmark }
