-- undo: what an operation changed in the tables that are written at the end of the call, to be taken back when the operation, or
-- a part of it that may fail alone, fails.
-- gives: set, forget, mark, back_to

-- three entries for each change: the table, the key, the value before
local journal, size = { false, false, false, false, false, false, false, false, false, false, false, false }, 0

local function set(changed, key, value)
  journal[size + 1], journal[size + 2], journal[size + 3] = changed, key, changed[key]
  size = size + 3
  changed[key] = value
end

-- Begins an operation: what earlier ones changed stays.
local function forget()
  size = 0
end

-- The present state, for back_to.
local function mark()
  return size
end

local function back_to(state)
  while size > state do
    journal[size - 2][journal[size - 1]] = journal[size]
    size = size - 3
  end
end

return { set = set, forget = forget, mark = mark, back_to = back_to }
