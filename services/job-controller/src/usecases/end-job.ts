import type { Job, JobCommand } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";

/** What stop and cancel need. */
export interface EndDeps {
  pool: JobPool;
  dispatcher: Dispatcher;
  changes: JobChanges;
}

/** Ends a waiting job at once. For a running one the worker gets a command, from this controller or another. */
export async function endJob({ pool, dispatcher, changes }: EndDeps, jobId: string, command: JobCommand): Promise<Job> {
  const job = await pool.end(jobId, command);
  if (job.command !== undefined) dispatcher.command(job.workerId, { jobId, token: job.token }, job.command);
  changes.changed(jobId);
  return job;
}
