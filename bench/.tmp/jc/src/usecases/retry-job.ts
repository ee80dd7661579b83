import type { Job } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";

/** What a retry needs. */
export interface RetryDeps {
  pool: JobPool;
  dispatcher: Dispatcher;
  changes: JobChanges;
}

/** Brings a job back that is CANCELLED or in ERROR. */
export async function retryJob({ pool, dispatcher, changes }: RetryDeps, jobId: string): Promise<Job> {
  const job = await pool.retry(jobId);
  dispatcher.wake(job.name);
  changes.changed(jobId);
  return job;
}
