-- read-log: a piece of a job's log from an offset on, whole characters.
-- arguments: id, offset, most bytes
-- reply: the offset behind the piece, the piece
transitions["read-log"] = function(id, offset, most)
  local at, pieces, size = tonumber(offset), {}, 0
  local entries = redis.call("XRANGE", prefix .. "log:" .. id, string.format("%.0f-0", at + 1), "+", "COUNT", 64)
  for _, entry in ipairs(entries) do
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
