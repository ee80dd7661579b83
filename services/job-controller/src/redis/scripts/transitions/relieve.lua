-- relieve: removes ended jobs before their keep time, with their logs and reports, because memory is short.
-- needs: call/context, record/hook-statuses, hooks/state, life/removal
-- reads: hook-events
-- writes: report, reports-gone
-- arguments: status, the time before which it must have been reached in ms, how many at most
-- reply: how many jobs were removed

-- A client without an answer repeats its request within minutes; for so long at least a request is answered with its job.
local REQUEST_MS = 3600000
local MOST_REPORTS = 64

local function is_needed(id, job)
  if job.request ~= "" and context.now < job.enqueued + REQUEST_MS then return true end
  if job.hook_status == hook_statuses.NONE or job.hook_status == hook_statuses.DELIVERED then return false end
  return redis.call("EXISTS", state.events_of(id)) == 1
end

-- The report is noted as gone, so that the indexes follow: its first line names the image (report-store.ts).
local function remove_reports(id)
  for number = 0, MOST_REPORTS - 1 do
    local report_id = number == 0 and id or id .. "~" .. number
    local key = context.prefix .. "report:" .. report_id
    local digest = string.match(redis.call("GETRANGE", key, 0, 255), "^%S+")
    if digest then
      redis.call("UNLINK", key)
      redis.call("HSET", context.prefix .. "reports-gone", report_id, digest)
    elseif number > 0 then
      return
    end
  end
end

return function(status, before, limit)
  local _, removed = removal.run(tonumber(status), tonumber(before), limit, is_needed)
  for _, id in ipairs(removed) do remove_reports(id) end
  return #removed
end
