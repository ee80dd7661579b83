-- beat: renews a worker's lease and tells it what it has lost and what is to end.
-- arguments: worker, incarnation, session, lease in ms, accept time in ms, limit for obeying a command in ms,
--   then id and token for each job that it holds
-- reply: for each of those 1 (held) or 0 (lost), then the open commands as id, token, command, then 1 when
--   the worker is to drain, else 0
-- errors: WORKER_SUPERSEDED, LEASE_LOST
-- Ends a job whose worker does not obey; the worker is told that it has lost it.
local function force_end(id, job)
  local command = job[COMMAND]
  let_go(id, job)
  job[TOKEN] = job[TOKEN] + 1
  finish(id, job, command == STOP and STOPPED or CANCELLED)
  save(id, job)
end

local function is_overdue(mark, limit)
  local asked = string.match(mark, "^%d+:%d:(%d+)")
  return asked and now - tonumber(asked) > tonumber(limit)
end

transitions.beat = function(worker, incarnation, session, lease, accept, limit, ...)
  check_worker(worker, incarnation, session)
  local held_key, commands = prefix .. "held:" .. worker, {}
  redis.call("ZADD", leases, now + tonumber(lease), worker)
  local function return_unheard(id, job)
    if now - job[STARTED] > tonumber(accept) then return_held(id, job) end
  end
  local reply, kept = compare(held_key, { ... })
  local held = redis.call("HGETALL", held_key)
  for at = 1, #held, 2 do
    local id, mark = held[at], held[at + 1]
    local named = kept[id]
    if named and not is_overdue(mark, limit) then
      commands[#commands + 1] = command_of(id, mark)
    else
      if named then reply[named] = 0 end
      with_held(id, worker, named and force_end or return_unheard)
    end
  end
  return { reply, commands, is_to_drain(worker, incarnation) }
end
