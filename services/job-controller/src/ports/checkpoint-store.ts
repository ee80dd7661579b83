import type { HeldLease, Job } from "../domain/job.ts";

/** How far a job came in its former runs. */
export interface RunState {
  /** In the words of its type; empty when none was saved. */
  checkpoint: string;
  /** The number of all the jobs that it launched, by status. */
  executionTotals: Job["executionTotals"];
  /** Milliseconds since 1970. */
  enqueuedAt: number;
  /** When it was read, likewise. */
  now: number;
}

/** Some of the keys of sub-jobs. */
export interface SubJobKeys {
  keys: string[];
  /** Where to go on; empty at the end. */
  next: string;
}

/**
 * How far jobs have come. A checkpoint is kept over all runs of its job, retries included, until the job is SUCCESS or STOPPED
 * or is removed.
 * @throws ReasonedError JOB_NOT_FOUND, LEASE_LOST, REDIS_UNAVAILABLE
 */
export interface CheckpointStore {
  /**
   * Takes the place of what was saved before.
   * @throws ReasonedError POOL_FULL when Redis has no memory for it
   */
  save(lease: HeldLease, checkpoint: string): Promise<void>;
  read(lease: HeldLease): Promise<RunState>;
  /**
   * The keys that the job has launched others with, some at a time, in no order; since RetryJob last brought it back.
   * @param from `next` of those before; empty for the first
   */
  subJobKeys(lease: HeldLease, from: string): Promise<SubJobKeys>;
  /** Of each key whether the job has launched another with it, likewise. Nobody's right to the job is looked at. */
  haveLaunched(jobId: string, keys: readonly string[]): Promise<boolean[]>;
}
