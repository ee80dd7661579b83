-- finish: how the run of a job ends, and what follows from that in the same step.
-- needs: record/codes, life/final, schedule/executions
-- gives: job, by_command
local finish = {}
local status = codes.status

-- Ends the job; the caller stores it. Launches what a periodic job has waiting for this end, so that no crash comes between.
function finish.job(id, job, to)
  final.enter(id, job, to)
  if job.upstream ~= "" then executions.launch_waiting(job.upstream) end
end

-- Ends it because of a stop or a cancel.
function finish.by_command(id, job, command)
  finish.job(id, job, command == codes.command.STOP and status.STOPPED or status.CANCELLED)
end

return finish
