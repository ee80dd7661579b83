-- hello: makes a worker known and settles what it holds. A new incarnation frees what the old one held.
-- The old one is refused from then on.
-- arguments: worker, incarnation, session, generation by the first shard (which is given 0), lease in ms, info, then id and
--   token for each job that it holds
-- reply: for each of those 1 (keep) or 0 (drop), then the open commands as id, token, command, then the generation, then 1
--   when it is to drain, else 0
-- errors: WORKER_SUPERSEDED
local MOST_HELD = 1000

-- A held mark is "token", or "token:command:time of the command".
local function command_of(id, mark)
  local token, command = string.match(mark, "^(%d+):(%d)")
  return token and { id, tonumber(token), tonumber(command) }
end

-- Compares what the worker names with what it holds: a reply of 1 and 0, and the named jobs that it does hold.
local function compare(held_key, named)
  local reply, kept = {}, {}
  for at = 1, #named, 2 do
    local mark = redis.call("HGET", held_key, named[at])
    local mine = mark and string.match(mark, "^%d+") == named[at + 1]
    reply[#reply + 1] = mine and 1 or 0
    if mine then kept[named[at]] = #reply end
  end
  return reply, kept
end

transitions.hello = function(worker, incarnation, session, generation, lease, info, ...)
  local held_key, commands = prefix .. "held:" .. worker, {}
  local before = redis.call("HGET", workers, worker)
  local own, newest = generations(worker, incarnation, before)
  generation = generation == "0" and (own or newest + 1) or tonumber(generation)
  if generation < newest then refuse("WORKER_SUPERSEDED", worker) end
  if before and process_of(before) ~= incarnation then lose_all(worker, MOST_HELD) end
  local record = table.concat({ incarnation, session, generation, info }, " ")
  remember(worker, before)
  remember(worker, record)
  redis.call("HSET", workers, worker, record)
  redis.call("ZADD", leases, now + tonumber(lease), worker)
  local reply, kept = compare(held_key, { ... })
  local held = redis.call("HGETALL", held_key)
  for at = 1, #held, 2 do
    if kept[held[at]] then
      commands[#commands + 1] = command_of(held[at], held[at + 1])
    else
      give_back_unheard(held[at], worker)
    end
  end
  return { reply, commands, generation, is_to_drain(worker, incarnation) }
end
