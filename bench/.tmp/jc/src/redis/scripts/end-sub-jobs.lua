-- end-sub-jobs: passes a stop or cancel on to the jobs that a job launched, a part of them at a time.
-- arguments: how many jobs at most
-- reply: how many were looked at
transitions["end-sub-jobs"] = function(limit)
  local parent = redis.call("HRANDFIELD", prefix .. "ending")
  if not parent then return 0 end
  local mark = redis.call("HGET", prefix .. "ending", parent)
  local command, from = string.match(mark, "^(%d):(.+)$")
  local entries = redis.call("XRANGE", prefix .. "sub-jobs:" .. parent, from, "+", "COUNT", limit)
  for _, entry in ipairs(entries) do
    local id = entry[2][2]
    local found, job, parameters = pcall(load, id)
    if found and end_job(id, job, tonumber(command)) then
      if job[PARENT] then redis.call("HSET", prefix .. "ending", id, command .. ":-") end
      save(id, job, parameters)
    end
  end
  if #entries < tonumber(limit) then
    redis.call("HDEL", prefix .. "ending", parent)
  else
    redis.call("HSET", prefix .. "ending", parent, command .. ":(" .. entries[#entries][1])
  end
  return #entries
end
