-- oldest-ended: the time by which a number of jobs of a final status had ended, those left out that stay for now.
-- needs: record/index, life/removal
-- reads: ended
-- arguments: status, how many
-- reply: the time in ms, that of the newest when there are fewer; 0 when there is none
-- when memory is full: refused
return function(status, count)
  local from = removal.sweep_position(status)
  local entries = redis.call("XRANGE", index.ended(status), from, "+", "COUNT", count)
  local last = entries[#entries]
  return last and tonumber(string.match(last[1], "^%d+")) or 0
end
