-- append: appends a piece to the log of a job's run.
-- needs: call/context, record/store, life/moves, log/chunks
-- arguments: id, token, incarnation, offset, text, most bytes
-- reply: the log's length, whether it is full
-- errors: JOB_NOT_FOUND, LEASE_LOST
-- when memory is full: refused

-- As much of a text as there is room for, and a note that it was cut: behind a line when one ends near, else behind a
-- character. Near is less than the note's length, so that the log is full all the same.
local function cut(text, room, most)
  local note = "[cut here: a job's log holds " .. most .. " bytes]\n"
  local kept = string.sub(text, 1, room)
  local line_end = string.find(kept, "\n[^\n]*$") or 0
  if line_end > 0 and room - line_end < #note then return string.sub(kept, 1, line_end) .. note end
  if string.find(text, "^[\128-\191]", room + 1) then kept = string.gsub(kept, "[\192-\255][\128-\191]*$", "") end
  return kept .. "\n" .. note
end

return function(id, token, incarnation, offset, text, most)
  -- the last lines of a run may come after its result
  if moves.standing(store.load(id), token, incarnation) == "stale" then context.refuse("LEASE_LOST", id) end
  local length = chunks.length(id)
  most = tonumber(most)
  if length >= most then return { length, 1 } end
  local known = length - tonumber(offset)
  if known < 0 or known >= #text then return { length, 0 } end
  local piece = string.sub(text, known + 1)
  if length + #piece > most then piece = cut(piece, most - length, most) end
  length = length + #piece
  chunks.append(id, piece)
  return { length, length >= most and 1 or 0 }
end
