-- shown: a job as replies show it; record/job-codec.ts of the controller reads it.
-- needs: record/tables, record/details, record/trace
-- gives: job
local function shown_job(id, job)
  local listed_details = details.listed(tables.details_of(job))
  return { id, details.listed_fields(job), listed_details, tables.parameters_of(job), trace.to_text(job.trace) }
end

return { job = shown_job }
