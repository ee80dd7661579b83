-- shown: a job as replies show it; record/job-codec.ts of the controller reads it.
-- needs: record/tables, record/details, record/trace
-- gives: job

-- The parameters, up to 256 KiB, are left out unless the caller wants them: true, or nothing.
local function shown_job(id, job, with_parameters)
  local listed_details = details.listed(tables.details_of(job))
  local parameters = with_parameters == false and "" or tables.parameters_of(job)
  return { id, details.listed_fields(job), listed_details, parameters, trace.to_text(job.trace) }
end

return { job = shown_job }
