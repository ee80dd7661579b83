import type { ZodType } from "zod";
import type { JobFailure } from "../domain/job-failure.ts";
import type { Coverage, Report } from "../domain/report.ts";
import type { ScannerLayer } from "./scanner.ts";

/** What a user asked a running job to do. */
export type OpCommand = "stop" | "cancel";

/** The progress of a run. */
export interface Progress {
  /** The phase in a word, e.g. "index". */
  phase: string;
  /** From 0 to 100. */
  percent: number;
}

/** Writes lines to the job's log, which users read with GetJobLogData. No secrets. */
export interface JobLogger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** How often and for how long a sub-job may be tried; what is absent is left to its type. */
export interface SubJobPolicy {
  /** How many attempts may fail, from 1 to 100. */
  maxAttempts?: number;
  /** The longest wait before the second attempt, in milliseconds; it doubles with each. Default 1,000. */
  initialBackoffMs?: number;
  /** The longest wait of all, in milliseconds. Default 60,000. */
  maxBackoffMs?: number;
  /** How long one attempt may run, in milliseconds. */
  runTimeoutMs?: number;
  /** How long the job may wait for its first run, in milliseconds; then it is in ERROR with QUEUE_TIMEOUT. Default for ever. */
  queueTimeoutMs?: number;
  /** Reasons of failures after which no attempt follows, at most 20. */
  finalReasons?: readonly string[];
}

/** A job that a job launches. */
export interface SubJobRequest {
  name: string;
  parameters: Record<string, unknown>;
  /** From 1 to 9; default 5. */
  priority?: number;
  /** Whether only one such job may be alive; when one is, that one is the answer. */
  isUnique?: boolean;
  policy?: SubJobPolicy;
  /** For ListJobs. At most 16, each name at most 63 of a-z, 0-9 and ._-/, each value at most 128 characters. */
  labels?: Readonly<Record<string, string>>;
  /** Distinguishes the jobs of one run; the same key again gives the same job, also in a later attempt. Default: # and the count of launches so far. */
  key?: string;
  /** What `isUnique` goes by, at most 256 characters; default the parameters. */
  uniqueKey?: string;
  /** When the job is due, in milliseconds after its launch; default at once. */
  delayMs?: number;
}

/**
 * What became of one of many launches: the id of the job, or why there is none. A job that is another's holds the unique key, and
 * does not count among the jobs that this one launched.
 */
export type SubJobResult = { id: string; isOthers?: boolean } | { failure: JobFailure };

/** How far a job came in its former runs. */
export interface RunState {
  /** What `saveCheckpoint` stored last; empty if nothing was. */
  readonly checkpoint: string;
  /** How many of the jobs that it launched stand where. */
  readonly subJobs: Readonly<Partial<Record<JobStatus, number>>>;
  /** When the job was launched. */
  readonly launchedAt: Date;
  /** The time now, by the clock that told when it was launched. */
  readonly now: Date;
}

/** Where a job stands. */
export type JobStatus = "SCHEDULED" | "PENDING" | "RUNNING" | "STOPPED" | "CANCELLED" | "ERROR" | "SUCCESS";

/** An image as a registry lists it. */
export interface FoundImage {
  readonly repository: string;
  /** The digest of its manifest or of its index. */
  readonly digest: string;
  /** The tags that point at it. */
  readonly tags: readonly string[];
}

/** A page of images. */
export interface ImagePage {
  readonly images: readonly FoundImage[];
  /** Where the next page begins, at most 4 KiB; undefined when there is none. */
  readonly next: string | undefined;
}

/** A report that an image has. */
export interface KnownReport {
  readonly reportId: string;
  /** The digest of the manifest that was scanned. */
  readonly digest: string;
  /** The scanner's name. */
  readonly scanner: string;
  /** The scanner's state; empty if it does not tell. */
  readonly scannerState: string;
  readonly scannedAt: Date;
  readonly coverage: Coverage;
  /** E.g. linux/arm64; empty if unknown. */
  readonly platform: string;
}

/** What is known of an image. */
export interface KnownImage {
  /** Its newest reports: one, or one for each platform of an index, or none. */
  readonly reports: readonly KnownReport[];
  /** Of an index, the platforms that a scan has looked for, whether it found an image for them or not; `all` alone for all. */
  readonly indexPlatforms: readonly string[];
  /** Whether the job has launched another already whose key is the digest, or that of one of the reports. */
  readonly isLaunched: boolean;
}

/** Numbers of reports by their coverage, and of digests without one; what is 0 may be left out. */
export type CoverageCounts = Readonly<Partial<Record<Coverage | "NONE", number>>>;

/** Where a report is among those of its run, and what it says of the others. */
export interface ReportPlace {
  /** Which of the run's reports it is, from 0 to 63; default 0. */
  number?: number;
  /** With the last report of an index: the platforms that were looked for, as in KnownImage. Default: it does not tell. */
  indexPlatforms?: readonly string[];
}

/** What a run is given. */
export interface JobContext {
  readonly jobId: string;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** Aborts when the run must end: stop, cancel, the end of its time, shutdown, lost lease. Hand it to everything that waits. */
  readonly signal: AbortSignal;
  readonly logger: JobLogger;
  /** A property that the worker's operator configured, e.g. registry_url; undefined when it is not set. */
  get(property: string): unknown;
  /** Tells users what the run is doing. Never blocks; the newest wins. Cut at 1 KiB. */
  checkin(text: string, progress?: Progress): void;
  /** The stop or cancel that a user asked for, if one did. */
  opCommand(): OpCommand | undefined;
  /**
   * Launches another job, linked to this one by upstream_job_id; tries again while the controller is away. Returns its id.
   * @throws JobFailure when the controller refuses it
   */
  launchJob(request: SubJobRequest): Promise<{ id: string }>;
  /**
   * Launches many jobs as launchJob does, at most 1,000; each has its own result, in the order of the requests.
   * @throws JobFailure when the controller refuses all of them
   */
  launchJobs(requests: readonly SubJobRequest[]): Promise<SubJobResult[]>;
  /** How far the job came in its former runs, and how the jobs that it launched stand. */
  runState(): Promise<RunState>;
  /** Stores how far the job has come, at most 64 KiB, for its next run; resolves when it is durable. The last one counts. */
  saveCheckpoint(checkpoint: string): Promise<void>;
  /** Stores a report of the run; resolves when it is durable. */
  storeReport(report: Report, place?: ReportPlace): Promise<void>;
  /**
   * Notes which tags point at which images, at most 1,000 images with 5,000 tags together, and tells what is
   * known of each, in the order of the images.
   */
  recordImages(images: readonly FoundImage[]): Promise<KnownImage[]>;
  /**
   * How much scanners could look at in the images whose digests are keys of the run's sub-jobs, by their newest reports: counts by
   * coverage, and of digests without a report.
   */
  countReports(): Promise<CoverageCounts>;
  /** The newest report of the image; undefined if it has none. */
  readReport(digest: string): Promise<Report | undefined>;
  /** The images whose newest report has one of the layers, by the scanner's names of those; at most 1,000 names. */
  findImages(layerNames: readonly string[]): Promise<FoundImage[]>;
  /**
   * The images that have a report, a page at a time, without their tags, in an order that new reports do not change.
   * @param repository a repository, or a glob of several; empty is all
   * @param from `next` of the page before; undefined for the first
   */
  listImages(repository: string, from: string | undefined): Promise<ImagePage>;
  /**
   * Does the work while no other run, of any worker, does its own for the same layer of the same scanner; waits for those. Two may
   * still be at it when the controller is away: the lock saves work, nothing may depend on it.
   * @throws what the work throws
   */
  withLayerLock(layer: ScannerLayer, work: () => Promise<void>): Promise<void>;
}

/** A job type. Write one, add it in app.ts, and every controller that this worker connects to takes launches of it. */
export interface JobType<P = unknown> {
  /** As users launch it: A-Z, 0-9 and _, a letter first, at most 64. */
  readonly name: string;
  /** A sentence for people. */
  readonly description: string;
  /** What the parameters must be; the controller refuses others at launch. */
  readonly parameters: ZodType<P>;
  /** How many attempts may fail before the job is in ERROR; 0 means 4. */
  readonly maxFails: number;
  /** Whether only one job of this type may be alive, whatever its parameters; default false. */
  readonly isSingleton?: boolean;
  /** How many jobs of this type may run at once over all workers; absent is no limit. */
  readonly maxRunning?: number;
  /**
   * How much of the slots of all workers that take this type the jobs of one fairness key may hold at once, in percent,
   * though always one; absent is no limit. Jobs without a key are not held to it.
   */
  readonly maxKeyPercent?: number;
  /** How long one attempt may run when its launch does not say, in milliseconds; absent is as long as it likes. */
  readonly timeoutMs?: number;
  /** How long a job may wait for the outside in all before it is in ERROR, in milliseconds; absent is 24 hours. */
  readonly patienceMs?: number;
  /**
   * Asks for what all jobs of this type need, by short requests: returns when it is there, throws JobFailure when it is
   * not. The worker takes no jobs of the type before it has passed, nor after a failure that concerns them all.
   */
  probe?(signal: AbortSignal): Promise<void>;
  /** Whether another attempt makes sense after this error, while fewer than maxFails have failed. */
  shouldRetry(error: unknown): boolean;
  /** Checks what the schema can't say; throws JobFailure with the reason PARAMETERS_INVALID. */
  validate(parameters: P): void;
  /**
   * Does the work. Returning is success, throwing JobPostponed asks for another run later, throwing anything else is
   * failure, though a JobFailure may say that it is not the job's; when the signal aborted, end soon either way.
   */
  run(context: JobContext, parameters: P): Promise<void>;
}
