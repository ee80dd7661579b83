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
  /** The gzip of the report that the job made, in pieces that are read as they are asked for; undefined when it made none. */
  read(jobId: string): Promise<AsyncIterable<Buffer> | undefined>;
  /** The id of the job that made the newest report of the image; undefined when none is known. */
  newestOf(digest: string): Promise<string | undefined>;
}
