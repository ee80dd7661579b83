import { oneLine } from "@drydock/shared/plain-text.ts";
import type { Report } from "../domain/report.ts";
import type {
  CoverageCounts,
  FoundImage,
  ImagePage,
  JobContext,
  JobLogger,
  KnownImage,
  OpCommand,
  Progress,
  ReportPlace,
  RunState,
  SubJobRequest,
  SubJobResult,
} from "../ports/job.ts";
import { type JobLog, type JobServices, LeaseLost, type SubJob } from "../ports/job-services.ts";
import type { Assignment, CheckIn, Lease } from "../ports/job-source.ts";
import type { ScannerLayer } from "../ports/scanner.ts";
import { CheckInGate } from "./check-in-gate.ts";
import { Interruption, type InterruptionKind } from "./interruption.ts";
import { withLayerLock } from "./layer-lock.ts";
import { RunLog, toLine } from "./run-log.ts";
import { cutBytes } from "./text.ts";

const maxCheckInBytes = 1024;
const maxPhaseBytes = 64;

/** What a context asks of its run. */
export interface RunContextOptions {
  assignment: Assignment;
  services: JobServices;
  /** What the run's first line in the job's log says. */
  opening: () => string;
  /** Sends a check-in. */
  checkIn: (checkIn: CheckIn) => void;
  /** The controller said that the job is not ours any more. */
  onLost: () => void;
  now: () => number;
}

/** The JobContext of one run. Nothing is made before the handler asks for it, as most of it is not needed by most jobs. */
export class RunContext implements JobContext {
  readonly #options: RunContextOptions;
  readonly #begunAt: number;
  #abort: AbortController | undefined;
  #interruption: InterruptionKind | undefined;
  #isClosed = false;
  #gate: CheckInGate | undefined;
  #logger: JobLogger | undefined;
  #log: JobLog | undefined;
  #launches = 0;

  constructor(options: RunContextOptions) {
    this.#options = options;
    this.#begunAt = options.now();
  }

  get jobId(): string {
    return this.#options.assignment.lease.jobId;
  }

  get attempt(): number {
    return this.#options.assignment.attempt;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#interruption !== undefined) this.#abort.abort(new Interruption(this.#interruption));
    }
    return this.#abort.signal;
  }

  get logger(): JobLogger {
    this.#logger ??= new RunLog((line) => this.#writeLog(line), this.#options.now);
    return this.#logger;
  }

  get(property: string): unknown {
    const { properties } = this.#options.services;
    return Object.hasOwn(properties, property) ? properties[property] : undefined;
  }

  checkin(text: string, progress?: Progress): void {
    this.#assertOpen();
    this.#gate ??= new CheckInGate(this.#options.checkIn);
    this.#gate.push({ text: cutBytes(oneLine(String(text)), maxCheckInBytes), progress: progress && tidy(progress) });
  }

  opCommand(): OpCommand | undefined {
    return this.#interruption === "stop" || this.#interruption === "cancel" ? this.#interruption : undefined;
  }

  async launchJob(request: SubJobRequest): Promise<{ id: string }> {
    return this.#ask(({ subJobs }, lease, signal) => subJobs.launch(lease, this.#withKey(request), signal));
  }

  async launchJobs(requests: readonly SubJobRequest[]): Promise<SubJobResult[]> {
    return this.#ask(({ subJobs }, lease, signal) => {
      const jobs = requests.map((request) => this.#withKey(request));
      return subJobs.launchAll(lease, jobs, signal);
    });
  }

  async runState(): Promise<RunState> {
    return this.#ask(({ runStates }, lease, signal) => runStates.read(lease, signal));
  }

  async saveCheckpoint(checkpoint: string): Promise<void> {
    return this.#ask(({ runStates }, lease, signal) => runStates.saveCheckpoint(lease, checkpoint, signal));
  }

  async storeReport(report: Report, place: ReportPlace = {}): Promise<void> {
    return this.#ask(({ reports }, lease, signal) => reports.store(lease, report, signal, place));
  }

  async recordImages(images: readonly FoundImage[]): Promise<KnownImage[]> {
    return this.#ask((services, lease, signal) => services.images.record(lease, images, signal));
  }

  async countReports(): Promise<CoverageCounts> {
    return this.#ask(({ images }, lease, signal) => images.count(lease, signal));
  }

  async readReport(digest: string): Promise<Report | undefined> {
    return this.#ask(({ images }, lease, signal) => images.readReport(lease, digest, signal));
  }

  async findImages(layerNames: readonly string[]): Promise<FoundImage[]> {
    return this.#ask(({ images }, lease, signal) => images.find(lease, layerNames, signal));
  }

  async listImages(repository: string, from: string | undefined): Promise<ImagePage> {
    return this.#ask(({ images }, lease, signal) => images.list(lease, { repository, from }, signal));
  }

  async withLayerLock(layer: ScannerLayer, work: () => Promise<void>): Promise<void> {
    return this.#ask(({ layerLocks: locks }, lease, signal) => withLayerLock({ locks, lease, layer, signal }, work));
  }

  /** The handler's latest check-in. */
  get lastCheckIn(): CheckIn | undefined {
    return this.#gate?.last;
  }

  /** Whether the run wrote to the job's log. */
  get hasLog(): boolean {
    return this.#log !== undefined;
  }

  /** Sends the latest check-in again, in case it was lost. */
  repeatCheckIn(): void {
    if (!this.#isClosed) this.#gate?.repeat();
  }

  /** Tells the handler that the run must end; a later call changes what opCommand says. */
  interrupt(kind: InterruptionKind): void {
    this.#interruption = kind;
    if (this.#abort?.signal.aborted === false) this.#abort.abort(new Interruption(kind));
  }

  /** Resolves to true when the log lines are stored, to false when the time is over. */
  async flushLog(timeoutMs: number): Promise<boolean> {
    return (await this.#log?.flush(timeoutMs)) ?? true;
  }

  /** The run is over: calls of a handler that is still at work are refused from now on. */
  close(): void {
    this.#isClosed = true;
    this.#gate?.close();
    this.#log?.close();
  }

  #writeLog(line: string): void {
    this.#assertOpen();
    this.#log ??= this.#openLog();
    this.#log.write(line);
  }

  /** A run that logs nothing leaves no opening line either, so that quick jobs cost no log. */
  #openLog(): JobLog {
    const { services, assignment, opening } = this.#options;
    const log = services.logs.open(assignment.lease, assignment.logOffset);
    log.write(toLine("INFO ", opening(), this.#begunAt));
    return log;
  }

  #withKey({ key = `#${this.#launches}`, ...request }: SubJobRequest): SubJob {
    this.#launches += 1;
    return { ...request, key };
  }

  /** Asks the controller on behalf of the job; ends the run when that is not the worker's any more. */
  async #ask<T>(call: (services: JobServices, lease: Lease, signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#assertOpen();
    const { services, assignment } = this.#options;
    try {
      return await call(services, assignment.lease, this.signal);
    } catch (error) {
      if (error instanceof LeaseLost) this.#options.onLost();
      throw error;
    }
  }

  #assertOpen(): void {
    if (!this.#isClosed) return;
    throw this.#interruption === undefined ? new Error("the run is over") : new Interruption(this.#interruption);
  }
}

function tidy({ phase, percent }: Progress): Progress {
  const whole = Number.isFinite(percent) ? Math.round(Math.min(Math.max(percent, 0), 100)) : 0;
  return { phase: cutBytes(oneLine(String(phase)), maxPhaseBytes), percent: whole };
}
