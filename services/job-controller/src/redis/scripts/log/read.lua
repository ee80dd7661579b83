-- read: a piece of a job's log from an offset on, whole characters.
-- needs: log/chunks
-- arguments: id, offset, most chunks
-- reply: the offset behind the piece, the piece
-- when memory is full: refused

-- The text without the character at its end, if only its first bytes are there.
local function without_half_character(text)
  local begin = string.find(text, "[\192-\255][\128-\191]*$")
  if not begin then return text end
  local lead = string.byte(text, begin)
  local size = lead >= 240 and 4 or lead >= 224 and 3 or 2
  return #text - begin + 1 < size and string.sub(text, 1, begin - 1) or text
end

return function(id, offset, most)
  local text = without_half_character(chunks.read(id, tonumber(offset), tonumber(most)))
  -- an offset inside a UTF-8 character begins with its continuation bytes
  return { tonumber(offset) + #text, (string.gsub(text, "^[\128-\191]+", "")) }
end
