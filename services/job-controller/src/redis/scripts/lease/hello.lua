-- hello: makes a worker known and settles what it holds. A new incarnation frees what the old one held; the old one is refused
-- from then on.
-- needs: call/context, lease/sessions, lease/incarnations, lease/held, lease/marks, lease/returns
-- reads: held
-- writes: leases
-- arguments: worker, incarnation, session, generation by the first shard (which is given 0), lease in ms, info, then id and
--   token for each job that it holds
-- reply: for each of those 1 (keep) or 0 (drop), then the open commands as id, token, command, then the generation, then 1
--   when it is to drain, else 0
-- errors: WORKER_SUPERSEDED
local MOST_HELD = 1000

return function(worker, incarnation, session, generation, lease, info, ...)
  local before = sessions.entry_of(worker)
  local own, newest = incarnations.generations(worker, incarnation, before)
  generation = generation == "0" and (own or newest + 1) or tonumber(generation)
  if generation < newest then context.refuse("WORKER_SUPERSEDED", worker) end
  if before and sessions.process_of(before) ~= incarnation then returns.all_lost(worker, MOST_HELD) end
  local entry = table.concat({ incarnation, session, generation, info }, " ")
  incarnations.remember(worker, before)
  incarnations.remember(worker, entry)
  sessions.put(worker, entry)
  redis.call("ZADD", context.prefix .. "leases", context.now + tonumber(lease), worker)
  local verdicts, kept = marks.compare(worker, { ... })
  local all, commands = redis.call("HGETALL", held.key_of(worker)), {}
  for at = 1, #all, 2 do
    if kept[all[at]] then
      commands[#commands + 1] = marks.open_command(all[at], all[at + 1])
    else
      returns.unfinished(all[at], worker)
    end
  end
  return { verdicts, commands, generation, incarnations.is_to_drain(worker, incarnation) }
end
