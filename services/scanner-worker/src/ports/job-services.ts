import type { Report } from "../domain/report.ts";
import type {
  CoverageCounts,
  FoundImage,
  ImagePage,
  KnownImage,
  ReportPlace,
  RunState,
  SubJobRequest,
  SubJobResult,
} from "./job.ts";
import type { Lease } from "./job-source.ts";
import type { ScannerLayer } from "./scanner.ts";

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
   * @throws LeaseLost; the signal's reason when it aborts
   */
  store(lease: Lease, report: Report, signal: AbortSignal, place?: ReportPlace): Promise<void>;
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
  /**
   * Launches at most 1,000 jobs, each with its own result, in their order; tries again those that the controller could not
   * take for now.
   * @throws JobFailure when the controller refuses all of them; LeaseLost; the signal's reason when it aborts
   */
  launchAll(lease: Lease, jobs: readonly SubJob[], signal: AbortSignal): Promise<SubJobResult[]>;
}

/** How far jobs came. All of it tries again while the controller is away, and throws as SubJobs does. */
export interface RunStates {
  read(lease: Lease, signal: AbortSignal): Promise<RunState>;
  /** Resolves when the checkpoint is durable. */
  saveCheckpoint(lease: Lease, checkpoint: string, signal: AbortSignal): Promise<void>;
}

/** What is known of images. All of it tries again while the controller is away, and throws as SubJobs does. */
export interface KnownImages {
  /** Notes which tags point at which images; gives what is known of each, in the order of the images. */
  record(lease: Lease, images: readonly FoundImage[], signal: AbortSignal): Promise<KnownImage[]>;
  /** The newest reports of the images whose digests are keys of the job's sub-jobs, counted. */
  count(lease: Lease, signal: AbortSignal): Promise<CoverageCounts>;
  /** The newest report of the image; undefined if it has none. */
  readReport(lease: Lease, digest: string, signal: AbortSignal): Promise<Report | undefined>;
  /** The images whose newest report has one of the layers. */
  find(lease: Lease, layerNames: readonly string[], signal: AbortSignal): Promise<FoundImage[]>;
  /** A page of the images that have a report; `from` is `next` of the page before. */
  list(lease: Lease, wanted: { repository: string; from: string | undefined }, signal: AbortSignal): Promise<ImagePage>;
}

/** Of the runs of all workers that want to give a scanner the same layer, one has the layer's lock at a time. */
export interface LayerLocks {
  /**
   * Takes the lock for 15 s from now, also when the run has it already; false while another run has it. True as well when the
   * controller can't tell: a lock saves work, and a scan needs none.
   * @throws LeaseLost; the signal's reason when it aborts
   */
  lock(lease: Lease, layer: ScannerLayer, signal: AbortSignal): Promise<boolean>;
  /** Gives the lock back, also for a run that must end. Never rejects: a lock ends by itself. */
  unlock(lease: Lease, layer: ScannerLayer): Promise<void>;
}

/** What runs need from the outside, beside their source. */
export interface JobServices {
  logs: JobLogs;
  reports: ReportSink;
  subJobs: SubJobs;
  runStates: RunStates;
  images: KnownImages;
  layerLocks: LayerLocks;
  /** The properties that the operator configured, for JobContext.get. */
  properties: Readonly<Record<string, unknown>>;
}
