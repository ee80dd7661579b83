import { sleep } from "@drydock/shared/abort.ts";
import { type Backoff, ceilingMs } from "@drydock/shared/backoff.ts";
import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { maxRetryAfterMs } from "@drydock/shared/retry-after.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { JobType } from "../ports/job.ts";
import type { ClosedType } from "../ports/job-source.ts";
import { cutBytes, messageOf } from "./text.ts";

const backoff: Backoff = { baseMs: 1_000, capMs: 15_000 };
/** Period of the probes of an open type while none of its jobs succeeds, in milliseconds. */
const idleMs = 60_000;
const maxMessageBytes = 512;
/** How many reasons are remembered as logged. */
const maxReasons = 100;
/** Delay in ms before a job that can't be run now is given back, so that claim and release do not spin. */
const releaseMs = 1_000;
/** Number of jobs failed by the outside in a row that closes the type. */
const maxFailedJobs = 5;
/** How long a trial may take before another job is tried beside it, in milliseconds. */
const trialMs = 20_000;

export interface TypeGateOptions {
  type: JobType;
  clock: Clock;
  logger: Logger;
  /** Called when the type has closed, has opened, or is closed for another reason. */
  onChange: () => void;
  /** Called when the type has closed. */
  onClosed?: ((reason: string) => void) | undefined;
  /** From 0 to 1. */
  random?: (() => number) | undefined;
}

/**
 * Whether the jobs of one type can be done now. It closes when one of them met something that concerns them all, or when
 * the outside failed many in a row, and one probe at a time, seldom enough to be no burden, finds out whether it may open
 * again. A probe that passes is proof only if it failed before: else the gate is half-open, and one job is the trial. A
 * type with a probe begins closed, until the first has passed.
 */
export class TypeGate {
  readonly #options: TypeGateOptions;
  readonly #stop = new AbortController();
  #closed: ClosedType | undefined;
  #failure: JobFailure | undefined;
  /** Closings and failed probes since a job succeeded. */
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #resumesAt = 0;
  #probing: Promise<JobFailure | undefined> | undefined;
  /** The reasons for which single jobs were postponed since one succeeded. */
  readonly #postponedFor = new Set<string>();
  /** The jobs that the outside failed since one succeeded. */
  readonly #failedJobs = new Set<string>();
  /** Whether a probe failed since a job did: then one that passes is proof. */
  #hasProbeFailed = false;
  /** Half-open: the next job is the trial. */
  #isTrialDue = false;
  #trialJob: string | undefined;
  #succeeded = false;

  constructor(options: TypeGateOptions) {
    this.#options = options;
    if (options.type.probe === undefined) return;
    const message = "what its jobs need is being looked at for the first time";
    const since = new Date(options.clock.now());
    this.#closed = { jobType: options.type.name, reason: "STARTING", message, since, isWorkerFault: false };
  }

  /** Why it is closed; undefined while it is open, or half-open and without a trial. */
  get closed(): ClosedType | undefined {
    return this.#isTrialDue ? undefined : this.#closed;
  }

  /** Why jobs that arrive nevertheless are not begun; undefined while the type is open, or not probed yet. */
  get failure(): JobFailure | undefined {
    return this.#failure;
  }

  /** The failure of a job that arrives while the type is closed; undefined when the job may run, also as the trial. */
  async refusal(jobId: string, signal: AbortSignal): Promise<JobFailure | undefined> {
    const mayOpenSoon = this.#failure?.fault === "worker" || this.#trialJob !== undefined;
    if (mayOpenSoon && !this.#isTrialDue) await sleep(releaseMs, signal);
    if (this.#failure === undefined) return undefined;
    if (this.#isTrialDue) {
      this.#beginTrial(jobId);
      return undefined;
    }
    const { reason, message, retryable, fault, retryAfterMs } = this.#failure;
    const hasPause = this.#trialJob === undefined && retryAfterMs !== undefined;
    const restMs = hasPause ? this.#resumesAt - this.#options.clock.now() : undefined;
    return new JobFailure(reason, message, { retryable, fault, retryAfterMs: restMs });
  }

  start(): void {
    if (this.#options.type.probe !== undefined) void this.#probe();
  }

  stop(): void {
    this.#stop.abort(new DOMException("the worker stops", "AbortError"));
    clearTimeout(this.#timer);
  }

  /** A job of the type has succeeded. */
  succeeded(): void {
    this.#succeeded = true;
    this.#postponedFor.clear();
    this.#failedJobs.clear();
    if (this.#isTrialDue || this.#trialJob !== undefined) this.#open();
    if (this.#failure === undefined) this.#failures = 0;
  }

  /**
   * What a job's failure turns out to be. One that concerns all jobs closes the gate. One that is the worker's fault concerns
   * this job alone if the probe passes: then the worker can do others, and others may be able to do this one. Unless its
   * reason is never that of one job: then it has passed.
   */
  async judge(error: unknown, jobId: string): Promise<unknown> {
    const isTrial = this.#trialJob === jobId;
    if (isTrial) this.#trialJob = undefined;
    if (this.#stop.signal.aborted) return error;
    if (error instanceof JobFailure && error.fault === "outside") this.#judgeOutside(error, jobId, isTrial);
    else if (error instanceof JobFailure && error.closesType) return await this.#judgeWorker(error, jobId);
    else if (isTrial) this.#halfOpen();
    return error;
  }

  #judgeOutside(failure: JobFailure, jobId: string, isTrial: boolean): void {
    const { closesType } = failure;
    if (this.#failedJobs.size < maxFailedJobs) this.#failedJobs.add(jobId);
    if (!closesType) this.#logPostponement(failure);
    if (!closesType && !isTrial && this.#failedJobs.size < maxFailedJobs) return;
    const hasTrialFailed = isTrial || this.#isTrialDue;
    // A trial makes more requests than a probe: the waits grow faster.
    if (hasTrialFailed) this.#failures += 1;
    if (this.#failure === undefined || hasTrialFailed) this.#closeByJob(failure);
    else this.#extendWait(failure);
  }

  async #judgeWorker(error: JobFailure, jobId: string): Promise<unknown> {
    if (this.#options.type.probe === undefined) {
      this.#closeByJob(error);
      return error;
    }
    // Another job has just led to a probe, which failed.
    if (this.#probing === undefined && this.#failure?.fault === "worker") return this.#failure;
    const found = await this.#probe();
    if (found !== undefined) return found;
    const { reason, message, retryable, faultIfProbePasses: fault = "worker" } = error;
    const judged = new JobFailure(reason, message, { retryable, fault, closesType: false, cause: error });
    if (fault === "outside") this.#judgeOutside(judged, jobId, false);
    return judged;
  }

  #probe(): Promise<JobFailure | undefined> {
    this.#probing ??= this.#runProbe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  /** Opens or closes the type by a probe. Undefined when it passes, or fails for a cause that closes no type. */
  async #runProbe(): Promise<JobFailure | undefined> {
    clearTimeout(this.#timer);
    try {
      await this.#options.type.probe?.(this.#stop.signal);
    } catch (error) {
      const failure = asFailure(error);
      if (this.#stop.signal.aborted || failure.fault === "outside" || failure.closesType) {
        this.#hasProbeFailed = true;
        this.#close(failure);
        return failure;
      }
    }
    if (this.#failure !== undefined && !this.#hasProbeFailed) this.#halfOpen();
    else this.#open();
    return undefined;
  }

  #halfOpen(): void {
    if (this.#stop.signal.aborted) return;
    this.#isTrialDue = true;
    this.#wait(idleMs);
    this.#options.onChange();
  }

  #beginTrial(jobId: string): void {
    this.#isTrialDue = false;
    this.#trialJob = jobId;
    this.#wait(trialMs);
    this.#options.onChange();
  }

  #endTrial(): void {
    this.#isTrialDue = false;
    this.#trialJob = undefined;
  }

  #open(): void {
    if (this.#stop.signal.aborted) return;
    const { type, clock, logger, onChange } = this.#options;
    const was = this.#closed;
    const hadFailed = this.#failure !== undefined;
    this.#endTrial();
    this.#closed = undefined;
    this.#failure = undefined;
    if (was === undefined) this.#failures = 0;
    if (type.probe !== undefined) this.#wait(idleMs);
    if (was === undefined) return;
    const facts = { job: type.name, closed_ms: clock.now() - was.since.getTime() };
    if (hadFailed) logger.info(facts, "what the jobs of this type need is back: taking them again");
    onChange();
  }

  #closeByJob(failure: JobFailure): void {
    this.#hasProbeFailed = false;
    this.#close(failure);
  }

  #close(failure: JobFailure): void {
    if (this.#stop.signal.aborted) return;
    const isNewReason = this.#failure?.reason !== failure.reason;
    const wasOpen = this.#failure === undefined;
    const wasTrialDue = this.#isTrialDue;
    this.#endTrial();
    this.#failures += 1;
    const wait = ceilingMs(backoff, this.#failures) * (0.5 + (this.#options.random ?? Math.random)() / 2);
    this.#failure = failure;
    this.#wait(Math.round(Math.max(wait, pauseOf(failure))));
    if (isNewReason) this.#announce(failure, wasOpen);
    else if (wasTrialDue) this.#options.onChange();
  }

  #announce(failure: JobFailure, wasOpen: boolean): void {
    const { type, clock, logger, onChange, onClosed } = this.#options;
    const { reason } = failure;
    const message = oneLineOf(failure);
    const since = (wasOpen ? undefined : this.#closed?.since) ?? new Date(clock.now());
    this.#closed = { jobType: type.name, reason, message, since, isWorkerFault: failure.fault === "worker" };
    const facts = { job: type.name, reason, why: message, retry_ms: this.#resumesAt - clock.now() };
    logger.warn(facts, "taking no more jobs of this type until this is mended; asking for it from time to time");
    if (wasOpen) onClosed?.(reason);
    onChange();
  }

  /** One line for each reason: what postpones one job often postpones all. */
  #logPostponement(failure: JobFailure): void {
    const { reason, fault } = failure;
    if (fault !== "outside" || this.#postponedFor.has(reason) || this.#postponedFor.size >= maxReasons) return;
    this.#postponedFor.add(reason);
    const facts = { job: this.#options.type.name, reason, why: oneLineOf(failure) };
    this.#options.logger.warn(facts, "postponed a job; others with this reason are not logged until one succeeds");
  }

  /** A closed type met another failure: the wait before the next probe may become longer. */
  #extendWait(failure: JobFailure): void {
    const pause = pauseOf(failure);
    if (this.#options.clock.now() + pause > this.#resumesAt) this.#wait(pause);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#resumesAt = this.#options.clock.now() + ms;
    this.#timer = setTimeout(() => this.#onTimer(), ms);
    this.#timer.unref();
  }

  /** Probes the type, unless its jobs have succeeded since the last time. */
  #onTimer(): void {
    const isFine = this.#failure === undefined && this.#succeeded;
    this.#succeeded = false;
    if (isFine) this.#wait(idleMs);
    else void this.#probe();
  }
}

function oneLineOf({ message }: JobFailure): string {
  return cutBytes(oneLine(message), maxMessageBytes);
}

function pauseOf({ retryAfterMs = 0 }: JobFailure): number {
  return Math.min(retryAfterMs, maxRetryAfterMs);
}

function asFailure(error: unknown): JobFailure {
  if (error instanceof JobFailure) return error;
  return new JobFailure("PROBE_FAILED", messageOf(error), { retryable: true, cause: error });
}
