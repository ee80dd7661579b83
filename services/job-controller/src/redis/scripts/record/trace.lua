-- trace: the W3C traceparent of a job's launch (https://www.w3.org/TR/trace-context/), kept as 26 bytes: version, trace id,
-- parent id, flags. Empty when there is none.
-- gives: to_bytes, to_text
local FORM = ">BI4I4I4I4I4I4B"
local WORD = "(%x%x%x%x%x%x%x%x)"
local TEXT = "^(%x%x)%-" .. string.rep(WORD, 4) .. "%-" .. WORD .. WORD .. "%-(%x%x)$"

local function to_bytes(traceparent)
  local words = { string.match(traceparent, TEXT) }
  -- a trace context is a hint: one that is not understood never refuses a launch
  if #words == 0 then return "" end
  for at, word in ipairs(words) do words[at] = tonumber(word, 16) end
  return struct.pack(FORM, unpack(words))
end

local function to_text(bytes)
  if bytes == "" then return "" end
  return string.format("%02x-%08x%08x%08x%08x-%08x%08x-%02x", struct.unpack(FORM, bytes))
end

return { to_bytes = to_bytes, to_text = to_text }
