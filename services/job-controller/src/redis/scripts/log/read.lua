-- read: a piece of a job's log from an offset on, whole characters.
-- needs: log/stream
-- reads: log
-- arguments: id, offset, most bytes
-- reply: the offset behind the piece, the piece
-- when memory is full: refused
return function(id, offset, most)
  local at, pieces, size = tonumber(offset), {}, 0
  local from = string.format("%.0f-0", at + 1)
  for _, entry in ipairs(redis.call("XRANGE", stream.key_of(id), from, "+", "COUNT", 64)) do
    local text, stop = entry[2][2], tonumber(string.match(entry[1], "^%d+"))
    if stop - at < #text then text = string.sub(text, -(stop - at)) end
    if size > 0 and size + #text > tonumber(most) then break end
    pieces[#pieces + 1] = text
    size = size + #text
    at = stop
  end
  -- an offset inside a UTF-8 character begins with its continuation bytes
  return { at, (string.gsub(table.concat(pieces), "^[\128-\191]+", "")) }
end
