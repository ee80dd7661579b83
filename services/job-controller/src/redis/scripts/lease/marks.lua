-- marks: what a worker's hash says of each job that it holds: the token, or "token:command:time" while a command is open.
-- needs: lease/held
-- gives: open_command, compare
-- reads: held

-- The open command of a mark as id, token and command; nil when there is none.
local function open_command(id, mark)
  local token, command = string.match(mark, "^(%d+):(%d)")
  return token and { id, tonumber(token), tonumber(command) }
end

-- Compares the leases that the worker names, id and token in turn, with what it holds: 1 or 0 for each, and by id of those
-- that it does hold the position of its 1.
local function compare(worker, named)
  local verdicts, kept = {}, {}
  for at = 1, #named, 2 do
    local mark = redis.call("HGET", held.key_of(worker), named[at])
    local is_held = mark and string.match(mark, "^%d+") == named[at + 1]
    verdicts[#verdicts + 1] = is_held and 1 or 0
    if is_held then kept[named[at]] = #verdicts end
  end
  return verdicts, kept
end

return { open_command = open_command, compare = compare }
