-- launch: stores a job and puts it at the end of its queue.
-- arguments: id, name, traceparent, parameters, upstream job or empty
-- reply: the job; errors: ID_TAKEN
local function launch(id, name, trace, parameters, upstream)
  local job = { PENDING, 0, 0, 0, 1, 0, name, upstream, now, now, 0, 0, 0, "", "", 0, "", 0, false, false, trace }
  if redis.call("HSETNX", jobs, id, cmsgpack.pack(job) .. parameters) == 0 then refuse("ID_TAKEN", id) end
  count(job, 1)
  enqueue(id, job, "RPUSH")
  return { id, job, parameters }
end
transitions.launch = launch
