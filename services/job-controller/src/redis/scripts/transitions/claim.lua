-- claim: takes waiting jobs for a worker, in the order of the names; status, token and lease change together. It ends by the
-- bytes of their parameters too.
-- needs: record/store, life/start, queue/full-lanes, queue/limits, queue/rotation, lease/sessions, lease/held
-- needs at times: queue/waiting
-- writes: held
-- arguments: worker, incarnation, session, limit, a rank to take from or empty, the lane of the first type to go on behind or
--   empty, then for each job type its name, how many may run over all workers or 0, how many of one fairness key or 0, and
--   what runs in other shards or empty, as JSON: {until_ms, total, keys}, where keys are counts by fairness key, and nothing
--   is taken after that time of Redis' clock
-- reply: whether more may be waiting (0 or 1), how many types are done with, the lane of the next one to go on behind or
--   empty, the types of which jobs wait that are for other workers, then for each job id, token, name, attempt, log length,
--   traceparent, limit of the run in ms or 0, parameters
-- errors: WORKER_SUPERSEDED, LEASE_LOST
local MOST_POPPED, MOST_BYTES = 500, 4 * 1024 * 1024
-- a call pops these before it knows their size, so they may exceed MOST_BYTES
local POPPED_AT_ONCE = 32

return function(worker, incarnation, session, limit, rank, passed, ...)
  sessions.check(worker, incarnation, session)
  local types, marks, reply, returned, popped, bytes, left = { ... }, {}, { 0, 0, "", {} }, {}, 0, 0, nil
  limit, rank = tonumber(limit) + #reply, tonumber(rank)
  for at = 1, #types, 4 do
    local name, most, most_of_key = types[at], tonumber(types[at + 1]), tonumber(types[at + 2])
    local room, room_of = limits.rooms(name, most, most_of_key, types[at + 3])
    local try = start.isolated(worker, most > 0 or most_of_key > 0, marks, reply, returned)
    local walk = full_lanes.walk_over(name, worker, rank, passed, left, room_of)
    while popped < MOST_POPPED and bytes < MOST_BYTES do
      local wanted, before = math.min(limit - #reply, room(), MOST_POPPED - popped, POPPED_AT_ONCE), #reply
      if wanted <= 0 then break end
      local ids, lane = rotation.pop(wanted, walk)
      if not ids then break end
      popped = popped + #ids
      if #ids > 1 then store.fetch(ids) end
      for _, id in ipairs(ids) do try(name, lane, id) end
      for taken = before + 1, #reply do bytes = bytes + #reply[taken][8] end
    end
    if #reply >= limit or popped >= MOST_POPPED or bytes >= MOST_BYTES then reply[1] = 1 end
    if walk.has_barred then reply[4][#reply[4] + 1] = name end
    left, passed = walk.left, walk.left <= 0 and walk.passed or ""
    if passed == "" then reply[2] = reply[2] + 1 end
    if left <= 0 then break end
  end
  reply[3] = passed
  for _, job in ipairs(returned) do modules["queue/waiting"].put_back(unpack(job)) end
  if #marks > 0 then redis.call("HSET", held.key_of(worker), unpack(marks)) end
  return reply
end
