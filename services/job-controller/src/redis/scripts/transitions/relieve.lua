-- relieve: removes ended jobs before their keep time, with their logs and reports, because memory is short.
-- needs: call/context, record/hook-statuses, hooks/state, life/removal
-- reads: hook-events
-- writes: report
-- arguments: status, the time before which it must have been reached in ms, how many at most
-- reply: how many jobs were removed

-- A client without an answer repeats its request within minutes; for so long at least a request is answered with its job.
local REQUEST_MS = 3600000

local function is_needed(id, job)
  if job.request ~= "" and context.now < job.enqueued + REQUEST_MS then return true end
  if job.hook_status == hook_statuses.NONE or job.hook_status == hook_statuses.DELIVERED then return false end
  return redis.call("EXISTS", state.events_of(id)) == 1
end

return function(status, before, limit)
  local _, removed = removal.run(tonumber(status), tonumber(before), limit, is_needed)
  for _, id in ipairs(removed) do redis.call("UNLINK", context.prefix .. "report:" .. id) end
  return #removed
end
