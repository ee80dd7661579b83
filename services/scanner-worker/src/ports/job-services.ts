import type { Report } from "../domain/report.ts";
import type { SubJobRequest } from "./job.ts";
import type { Lease } from "./job-source.ts";

/** Thrown when the controller says that the job is not this worker's any more: abandon it, report nothing. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";

  constructor(lease: Lease) {
    super(`job ${lease.jobId} is not this worker's any more`);
  }
}

/** The log of one run. */
export interface JobLog {
  /** Appends whole lines, each ended by a line feed. Never blocks; drops the oldest unsent lines when too much waits. */
  write(lines: string): void;
  /** Resolves to true when all that was written is stored or not wanted any more, to false when the time is over. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Takes no more lines; what is not stored yet is sent until it is, or until the controller wants no more. */
  close(): void;
}

/** Stores the lines that handlers write. */
export interface JobLogs {
  /** @param offset where the run's lines begin in the job's log, in bytes */
  open(lease: Lease, offset: number): JobLog;
}

/** Stores reports. */
export interface ReportSink {
  /**
   * Resolves when the report is durable; tries again while the controller is away.
   * @param number which of the run's reports it is, from 0; default 0
   * @throws LeaseLost; the signal's reason when it aborts
   */
  store(lease: Lease, report: Report, signal: AbortSignal, number?: number): Promise<void>;
}

/** A job to be launched by a job. */
export interface SubJob extends SubJobRequest {
  /** The same key again gives the same job, also in a later attempt. */
  key: string;
}

/** Launches jobs on behalf of a run. */
export interface SubJobs {
  /**
   * Launches the job; tries again while the controller is away. Returns its id.
   * @throws JobFailure when the controller refuses it; LeaseLost; the signal's reason when it aborts
   */
  launch(lease: Lease, job: SubJob, signal: AbortSignal): Promise<{ id: string }>;
}

/** What runs need from the outside, beside their source. */
export interface JobServices {
  logs: JobLogs;
  reports: ReportSink;
  subJobs: SubJobs;
  /** The properties that the operator configured, for JobContext.get. */
  properties: Readonly<Record<string, unknown>>;
}
