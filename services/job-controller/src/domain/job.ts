import type { JobStatus } from "./job-state.ts";

/** What a user asks of a job that is to end. */
export type JobCommand = "stop" | "cancel";

/** How far a run is. */
export interface JobProgress {
  /** The phase in a word; the job's type defines it. */
  phase: string;
  /** From 0 to 100. */
  percent: number;
}

/** Why an attempt failed. */
export interface JobError {
  /** A stable word in upper case. */
  reason: string;
  message: string;
  /** The attempt that failed, from 1. */
  attempt: number;
  /** Milliseconds since 1970. */
  at: number;
}

/** A job as the pool holds it. Times are milliseconds since 1970, 0 when they have not come. */
export interface Job {
  id: string;
  name: string;
  status: JobStatus;
  /** Grows with each claim and each loss; whoever names an older one is refused. */
  token: number;
  attempt: number;
  crashes: number;
  revision: number;
  /** Asked for and not confirmed yet. */
  command: JobCommand | undefined;
  /** The job that launched it, or empty. */
  upstreamJobId: string;
  traceparent: string;
  enqueuedAt: number;
  updatedAt: number;
  runAt: number;
  startedAt: number;
  endedAt: number;
  workerId: string;
  checkIn: string;
  checkInAt: number;
  progress: JobProgress | undefined;
  lastError: JobError | undefined;
  /** The first hundred jobs that it launched. */
  executions: string[];
  parametersJson: string;
}

/** A job to be stored. */
export interface NewJob {
  name: string;
  parametersJson: string;
  /** The W3C traceparent of the launch, or empty. */
  traceparent: string;
}

/** A job that was claimed for a worker. */
export interface ClaimedJob {
  id: string;
  token: number;
  name: string;
  attempt: number;
  /** The length of its log so far, in bytes. */
  logOffset: number;
  traceparent: string;
  parametersJson: string;
}

/** The right to a job. */
export interface Lease {
  jobId: string;
  token: number;
}
