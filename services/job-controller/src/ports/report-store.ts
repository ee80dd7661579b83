import type { HeldLease } from "../domain/job.ts";

/** An encoded report on its way in. */
export interface NewReport {
  /** The digest of the image. */
  digest: string;
  /** The digest of the index that led to it, or empty. */
  indexDigest: string;
  gzip: Buffer;
}

/** The reports of scans, as the workers encoded them. */
export interface ReportStore {
  /**
   * Resolves when the lease may store a report.
   * @throws ReasonedError JOB_NOT_FOUND, LEASE_LOST, REDIS_UNAVAILABLE
   */
  checkLease(lease: HeldLease): Promise<void>;
  /** @throws ReasonedError LEASE_LOST, REDIS_UNAVAILABLE */
  put(lease: HeldLease, report: NewReport): Promise<void>;
  /** The report that the job made. */
  byJob(jobId: string): Promise<Buffer | undefined>;
  /** The newest report of the image. */
  byDigest(digest: string): Promise<Buffer | undefined>;
}
