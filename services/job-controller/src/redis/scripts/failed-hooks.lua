-- failed-hooks: the jobs whose hook could not be told something, the newest first.
-- arguments: the id before which to begin or empty, how many at most
-- reply: for each job id, name, status, hook status, how many events failed, "time cause" of the last failure or empty
transitions["failed-hooks"] = function(before, limit)
  local last = before == "" and "+" or "(" .. before
  local reply = {}
  for at, id in ipairs(redis.call("ZRANGE", prefix .. "hook-failing", last, "-", "BYLEX", "REV", "LIMIT", 0, limit)) do
    local job = load(id)
    local cause = redis.call("HGET", prefix .. "hook-causes", id) or ""
    local events = redis.call("LLEN", hook_failures(id))
    reply[at] = { id, job[NAME], job[STATUS], job[HOOK_STATUS], events, cause }
  end
  return reply
end
