import type { Job } from "../domain/job.ts";
import type { JobStatus } from "../domain/job-state.ts";

/** Where to look for jobs: all of them, those that run, those in a final status, or those that a job launched. */
export type JobSource =
  | { kind: "all" }
  | { kind: "running" }
  | { kind: "ended"; status: JobStatus }
  | { kind: "launchedBy"; jobId: string };

/** A page of jobs, the newest first. */
export interface JobPage {
  jobs: Job[];
  /** Where the next page begins; empty at the end. Stays good while jobs come and go. */
  next: string;
}

/** Lists jobs. */
export interface JobIndex {
  /** Whether the text has the form of a place where a page of that source may end: only such may be listed from. */
  isPlace(source: JobSource, text: string): boolean;
  /** @param from where an earlier page ended, or empty */
  list(source: JobSource, from: string, limit: number): Promise<JobPage>;
}
