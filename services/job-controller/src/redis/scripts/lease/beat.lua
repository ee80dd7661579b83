-- beat: renews a worker's lease and tells it what it has lost and what is to end.
-- needs: call/context, life/moves, life/finish, lease/sessions, lease/incarnations, lease/held, lease/marks, lease/returns
-- reads: held
-- writes: leases
-- arguments: worker, incarnation, session, lease in ms, accept time in ms, limit for obeying a command in ms,
--   then id and token for each job that it holds
-- reply: for each of those 1 (held) or 0 (lost), then the open commands as id, token, command, then 1 when
--   the worker is to drain, else 0
-- errors: WORKER_SUPERSEDED, LEASE_LOST

-- Ends a job whose worker does not obey; the reply names the job as lost.
local function force_end(id, job)
  local command = job.command
  held.let_go(id, job)
  job.token = moves.next_token(job)
  finish.by_command(id, job, command)
  moves.save(id, job)
end

local function is_overdue(mark, limit)
  local asked = string.match(mark, "^%d+:%d:(%d+)")
  return asked and context.now - tonumber(asked) > tonumber(limit)
end

return function(worker, incarnation, session, lease, accept, limit, ...)
  sessions.check(worker, incarnation, session)
  redis.call("ZADD", context.prefix .. "leases", context.now + tonumber(lease), worker)
  local function return_unaccepted(id, job)
    if context.now - job.started > tonumber(accept) then returns.give_back(id, job) end
  end
  local verdicts, kept = marks.compare(worker, { ... })
  local all, commands = redis.call("HGETALL", held.key_of(worker)), {}
  for at = 1, #all, 2 do
    local id, mark = all[at], all[at + 1]
    local named = kept[id]
    if named and not is_overdue(mark, limit) then
      commands[#commands + 1] = marks.open_command(id, mark)
    else
      if named then verdicts[named] = 0 end
      held.with_job(id, worker, named and force_end or return_unaccepted)
    end
  end
  return { verdicts, commands, incarnations.is_to_drain(worker, incarnation) }
end
