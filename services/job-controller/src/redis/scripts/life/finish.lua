-- finish: how the run of a job ends, and what follows from that in the same step.
-- needs: record/statuses, record/commands, life/final
-- needs at times: schedule/executions
-- gives: job, by_command

-- Ends the job; the caller stores it. Launches what a periodic job has waiting for this end, so that no crash comes between.
local function finish_job(id, job, to)
  final.enter(id, job, to)
  if job.upstream ~= "" then modules["schedule/executions"].launch_waiting(job.upstream) end
end

-- Ends it because of a stop or a cancel.
local function by_command(id, job, command)
  finish_job(id, job, command == commands.STOP and statuses.STOPPED or statuses.CANCELLED)
end

return { job = finish_job, by_command = by_command }
