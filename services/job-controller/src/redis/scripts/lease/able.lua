-- able: which workers with a lease may do jobs of a type: those that know it, do not drain, and have not closed it for their own fault.
-- needs: call/context, lease/sessions
-- gives: is_any
-- reads: leases
local PART = 20

-- by type: the workers that were found in this call, and how many leases were looked at for it
local searches = {}

local function may_do(worker, name)
  local entry = sessions.entry_of(worker)
  local is_readable, info = pcall(cjson.decode, entry and string.match(entry, "{.*$"))
  if not is_readable or info.draining then return false end
  -- an older controller stored no closed types
  for _, closed in ipairs(info.closed or {}) do
    if closed.jobName == name and closed.isWorkerFault then return false end
  end
  for _, known in ipairs(info.jobNames) do
    if known == name then return true end
  end
  return false
end

-- Looks at the next leases, those that last longest first.
local function go_on(search, name)
  local leases, after = context.prefix .. "leases", "(" .. context.now
  local part = redis.call("ZRANGE", leases, "+inf", after, "BYSCORE", "REV", "LIMIT", search.looked, PART)
  for _, worker in ipairs(part) do
    if may_do(worker, name) then search.found[#search.found + 1] = worker end
  end
  search.looked, search.is_over = search.looked + PART, #part < PART
end

-- Whether there is such a worker of which is_wanted(worker) is true.
local function is_any(name, is_wanted)
  local search, at = searches[name] or { found = {}, looked = 0, is_over = false }, 0
  searches[name] = search
  while true do
    at = at + 1
    while not search.found[at] and not search.is_over do go_on(search, name) end
    if not search.found[at] then return false end
    if is_wanted(search.found[at]) then return true end
  end
end

return { is_any = is_any }
