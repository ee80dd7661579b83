-- append-log: appends a piece to the log of a job's run. The log is a stream; the id of an entry is the offset behind it.
-- arguments: id, token, offset, text, most bytes
-- reply: the log's length, whether it is full; errors: JOB_NOT_FOUND, LEASE_LOST
transitions["append-log"] = function(id, token, offset, text, most)
  -- the last lines of a run may come after its result
  if standing(load(id), token) == "stale" then refuse("LEASE_LOST", id) end
  local length = log_length(id)
  most = tonumber(most)
  if length >= most then return { length, 1 } end
  local known = length - tonumber(offset)
  if known < 0 or known >= #text then return { length, 0 } end
  local piece = string.sub(text, known + 1)
  if length + #piece > most then
    piece = string.sub(piece, 1, most - length) .. "\n[cut here: a job's log holds " .. most .. " bytes]\n"
  end
  length = length + #piece
  redis.call("XADD", prefix .. "log:" .. id, length .. "-0", "t", piece)
  return { length, length >= most and 1 or 0 }
end
