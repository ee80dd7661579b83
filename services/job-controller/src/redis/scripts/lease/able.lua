-- able: which workers with a lease may do jobs of a type: those that know it, do not drain, and have not closed it for their own fault.
-- needs: call/context, lease/sessions
-- gives: is_any
-- reads: leases
local PART = 20

-- by entry: what the worker says of itself, or false
local infos = {}

local function info_of(worker)
  local entry = sessions.entry_of(worker)
  if not entry then return false end
  if infos[entry] == nil then
    local done, info = pcall(cjson.decode, string.match(entry, "{.*$"))
    infos[entry] = done and info
  end
  return infos[entry]
end

local function may_do(info, name)
  if not info or info.draining then return false end
  -- an older controller stored no closed types
  for _, closed in ipairs(info.closed or {}) do
    if closed.jobName == name and closed.isWorkerFault then return false end
  end
  for _, known in ipairs(info.jobNames) do
    if known == name then return true end
  end
  return false
end

-- Whether there is such a worker of which is_wanted(worker) is true.
local function is_any(name, is_wanted)
  local leases, from, found = context.prefix .. "leases", 0, nil
  repeat
    found = redis.call("ZRANGE", leases, "+inf", "(" .. context.now, "BYSCORE", "REV", "LIMIT", from, PART)
    for _, worker in ipairs(found) do
      if may_do(info_of(worker), name) and is_wanted(worker) then return true end
    end
    from = from + PART
  until #found < PART
  return false
end

return { is_any = is_any }
