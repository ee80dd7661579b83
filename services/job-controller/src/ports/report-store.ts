import type { HeldLease } from "../domain/job.ts";
import type { IndexedReport, ReportReference } from "../domain/report-entry.ts";
import type { ExploitationData } from "./exploitation-data.ts";

/** An encoded report on its way in. */
export interface NewReport {
  /** What the indexes are made from. */
  entry: IndexedReport;
  gzip: Buffer;
}

/** An image as a registry lists it. */
export interface FoundImage {
  repository: string;
  /** The digest of its manifest or of its index. */
  digest: string;
  /** Tags that point at it; each pointed at nothing, or at another digest, before. */
  tags: readonly string[];
}

/** A report that an image has. */
export type KnownReport = ReportReference & Pick<IndexedReport, "scanner" | "scannerState" | "scannedAt" | "coverage">;

/**
 * The reports of scans, as the workers encoded them, and which tags point at which images. A report replaces the one that
 * the image had when it is stored whole; older ones are kept for comparisons, for as long and as many as the operator set.
 * The newest report of an image is the one scanned last, whichever came last; of two scanned at once the one that came last.
 *
 * An entry's tags point at its index if it has one, else at the image. A tag points at one digest; when it moves, its repository
 * stays a location of the image that it left.
 */
export interface ReportStore {
  /**
   * Resolves when the lease may store a report.
   * @throws ReasonedError JOB_NOT_FOUND, LEASE_LOST, REDIS_UNAVAILABLE
   */
  checkLease(lease: HeldLease): Promise<void>;
  /**
   * Stores a report, and notes that the repository and the tags of its entry have the image. The same report again changes
   * nothing but how long it is kept; another one of the same id takes the place of the first.
   * @throws ReasonedError LEASE_LOST, REDIS_UNAVAILABLE, REPORT_STORE_UNAVAILABLE
   */
  put(lease: HeldLease, report: NewReport): Promise<void>;
  /** The gzip of a report, in pieces that are read as they are asked for; undefined when there is none of that id. */
  read(reportId: string): Promise<AsyncIterable<Buffer> | undefined>;
  /** The reports that the job made and that are kept, by their numbers. */
  ofJob(jobId: string): Promise<ReportReference[]>;
  /** The newest report of the image; of an index the newest of each image that was scanned of it, by platform. Empty when none is known. */
  newestOf(digest: string): Promise<KnownReport[]>;
  /** The same, of the digest that the tag points at. */
  newestOfTag(repository: string, tag: string): Promise<KnownReport[]>;
  /** The digest that the tag points at, as far as scans know; undefined when none has come across the tag. */
  digestOf(repository: string, tag: string): Promise<string | undefined>;
  /** Notes which tags point at which images, in their order; the result has what `newestOf` has for each, in the order of the images. */
  recordImages(images: readonly FoundImage[]): Promise<KnownReport[][]>;
  /**
   * Of each index, the platforms that a scan has looked for, whether the index has an image for them or not; `all` alone for all.
   * Empty when no scan told, and while one of its images has no report.
   */
  indexPlatforms(indexDigests: readonly string[]): Promise<string[][]>;
  /**
   * Removes reports that were stored too long ago, and of each image all but the newest; an image without a report is in no list
   * any more. Repairs indexes that a crash left behind. Does a bounded part of it at a time.
   * Resolves to whether more is to be done.
   */
  tidy(): Promise<boolean>;
  /**
   * Makes knownExploited and maxEpss of newest reports what the data says now, of a bounded number of images at a time.
   * @param after where the call before ended; empty for the first
   * Resolves to where it ended; empty when all images were looked at.
   */
  renewExploitation(data: ExploitationData, after: string): Promise<string>;
}
