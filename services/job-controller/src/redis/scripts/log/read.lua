-- read: a piece of a job's log from an offset on, whole characters.
-- needs: log/stream
-- reads: log
-- arguments: id, offset, most bytes
-- reply: the offset behind the piece, the piece
-- when memory is full: refused
local MOST_ENTRIES = 64

-- The entry that has the text behind the offset, without what lies before it; nil at the end.
local function text_behind(id, offset)
  local entry = redis.call("XRANGE", stream.key_of(id), string.format("%.0f-0", offset + 1), "+", "COUNT", 1)[1]
  if not entry then return nil end
  local text, stop = entry[2][2], tonumber(string.match(entry[1], "^%d+"))
  return stop - offset < #text and string.sub(text, -(stop - offset)) or text, stop
end

-- The text without the bytes behind `most`, nor the character that they would cut.
local function cut(text, most)
  local kept = string.sub(text, 1, most)
  if string.find(text, "^[\128-\191]", most + 1) then kept = string.gsub(kept, "[\192-\255][\128-\191]*$", "") end
  return kept
end

return function(id, offset, most)
  local at, pieces, room = tonumber(offset), {}, tonumber(most)
  for _ = 1, MOST_ENTRIES do
    local text, stop = text_behind(id, at)
    if not text or #pieces > 0 and #text > room then break end
    local kept = #text > room and cut(text, room) or text
    pieces[#pieces + 1] = kept
    room, at = room - #kept, stop - #text + #kept
    if #kept < #text then break end
  end
  -- an offset inside a UTF-8 character begins with its continuation bytes
  return { at, (string.gsub(table.concat(pieces), "^[\128-\191]+", "")) }
end
