import type { Job } from "../domain/job.ts";
import type { JobStatus } from "../domain/job-state.ts";

/** Where to look for jobs: all of them, those that run, those in a final status, or those that a job launched. */
export type JobSource =
  | { kind: "all" }
  | { kind: "running" }
  | { kind: "ended"; status: JobStatus }
  | { kind: "launchedBy"; jobId: string };

/** A page of jobs, the newest first. It may end before the limit, since what is read of large jobs at once is bounded. */
export interface JobPage {
  jobs: Job[];
  /** Where the next page begins; empty at the end. Stays good while jobs come and go. */
  next: string;
  /** Where a page begins that has all but the first `count` jobs of this one. */
  after(count: number): string;
}

/** Which page to read. */
export interface JobPageRequest {
  /** Where an earlier page ended, or empty. */
  from: string;
  /** Maximum number of jobs. */
  limit: number;
  /** Whether the jobs have their parameters; without, parametersJson is empty. */
  includeParameters: boolean;
}

/** Lists jobs. */
export interface JobIndex {
  /** Whether the text has the form of a cursor of that source: only such may be listed from. */
  isCursor(source: JobSource, text: string): boolean;
  list(source: JobSource, page: JobPageRequest): Promise<JobPage>;
}
