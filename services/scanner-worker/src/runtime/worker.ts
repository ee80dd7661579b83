import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobType, OpCommand } from "../ports/job.ts";
import type { JobServices } from "../ports/job-services.ts";
import type {
  Assignment,
  Capacity,
  ClosedType,
  JobSource,
  JobSourceListener,
  Lease,
  WelcomeTerms,
} from "../ports/job-source.ts";
import { Conditions } from "./conditions.ts";
import { JobRun, type RunEnd, type RunHost } from "./job-run.ts";
import { Ledger } from "./ledger.ts";
import { Postponements } from "./postponements.ts";
import { TypeGates } from "./type-gates.ts";

/** How long running handlers may take to end once they know that the worker shuts down, in milliseconds. */
const releaseMs = 3000;
/** How long results may wait for their acknowledgement when the worker shuts down, in milliseconds. */
const acknowledgeMs = 3000;
/** The grace of handlers until the controller names it, in milliseconds. */
const firstGraceMs = 10_000;

export type WorkerState = "starting" | "running" | "draining" | "stopped";

export interface WorkerOptions {
  workerId: string;
  source: JobSource;
  services: JobServices;
  jobTypes: readonly JobType[];
  /** The job types that it is not set up for, and why. */
  unregistered?: readonly ClosedType[] | undefined;
  /** How many jobs run at once. */
  slots: number;
  /** How long running jobs may go on after the worker was asked to stop, in milliseconds. */
  drainMs: number;
  logger: Logger;
  clock?: Clock;
  /** Called each time the controller has welcomed the worker. */
  onWelcome?: () => void;
  /** Called when the worker takes no more jobs of a type, because what they need is away. */
  onTypeClosed?: (jobType: string, reason: string) => void;
  /** Called when the worker has nothing more to do: the controller drained it, or a newer process took its id. */
  onGone?: (why: "drained" | "superseded") => void;
}

/** Takes jobs from its source and runs them; keeps each result until the controller has it. */
export class Worker implements Service {
  readonly name = "worker";
  readonly #options: WorkerOptions;
  readonly #types: ReadonlyMap<string, JobType>;
  readonly #ledger = new Ledger();
  readonly #conditions = new Conditions();
  readonly #host: RunHost;
  readonly #gates: TypeGates;
  readonly #postponements = new Postponements();
  #state: WorkerState = "starting";
  #graceMs = firstGraceMs;
  /** Whether the closed types are others than the last Hello named. */
  #hasChanged = false;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    const { workerId, source, services, logger, jobTypes, clock = systemClock, onTypeClosed: onClosed } = options;
    this.#options = options;
    this.#gates = new TypeGates({ jobTypes, clock, logger, onChange: () => this.#onChange(), onClosed });
    this.#types = new Map(jobTypes.map((type) => [type.name, type]));
    this.#host = {
      workerId,
      services,
      logger,
      now: () => clock.now(),
      graceMs: () => this.#graceMs,
      isConnected: () => source.isConnected,
      checkIn: (lease, checkIn) => source.checkIn(lease, checkIn),
      gateOf: (type) => this.#gates.of(type),
      waitMs: (jobId, atLeastMs) => this.#postponements.waitMs(jobId, atLeastMs),
      onEnd: (run, end) => this.#onEnd(run, end),
    };
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** How many handlers run. */
  get runCount(): number {
    return this.#ledger.runCount;
  }

  /** The job types that it takes no jobs of, those that it is not set up for included. */
  get closed(): ClosedType[] {
    return [...(this.#options.unregistered ?? []), ...this.#gates.closed];
  }

  async start(): Promise<void> {
    if (this.#state !== "starting") return;
    this.#state = "running";
    this.#gates.start();
    this.#options.source.start(this.#listener());
  }

  /** Lets running jobs end for drainMs, gives back those that do not, and leaves once all results are acknowledged. */
  stop(signal?: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(signal);
    return this.#stopped;
  }

  async #stop(signal: AbortSignal | undefined): Promise<void> {
    const { source, drainMs, logger } = this.#options;
    this.#drain();
    const noRuns = () => this.#ledger.runCount === 0;
    if (!(await this.#conditions.until(noRuns, drainMs, signal))) {
      logger.info({ jobs: this.#ledger.runCount }, "giving back the jobs that still run");
      for (const run of this.#ledger.runs()) run.interrupt("shutdown");
      await this.#conditions.until(noRuns, releaseMs, signal);
    }
    if (!(await this.#conditions.until(() => this.#ledger.isEmpty, acknowledgeMs, signal))) {
      logger.warn({ jobs: this.#ledger.leases().length }, "left with results that nobody acknowledged");
    }
    this.#gates.stop();
    await source.stop();
    for (const run of this.#ledger.runs()) run.interrupt("lost");
    this.#state = "stopped";
  }

  #drain(): void {
    if (this.#state === "draining" || this.#state === "stopped") return;
    const wasRunning = this.#state === "running";
    this.#state = "draining";
    if (wasRunning) this.#options.source.draining();
  }

  #listener(): JobSourceListener {
    return {
      held: () => this.#ledger.leases(),
      capacity: () => this.#capacityOfHello(),
      onWelcome: (terms) => this.#onWelcome(terms),
      onAssign: (assignment) => this.#onAssign(assignment),
      onCommand: (lease, command) => this.#onCommand(lease, command),
      onLost: (leases) => this.#onLost(leases),
      onAcknowledged: (lease) => this.#forget(lease),
      onDrain: () => this.#onDrain(),
      onSuperseded: () => this.#onSuperseded(),
    };
  }

  #onWelcome({ graceMs, drop }: WelcomeTerms): void {
    const { source, onWelcome } = this.#options;
    this.#graceMs = graceMs;
    this.#onLost(drop);
    if (this.#state === "draining") source.draining();
    if (this.#hasChanged) this.#sendCapacity();
    for (const result of this.#ledger.results()) source.result(result);
    for (const run of this.#ledger.runs()) run.repeatCheckIn();
    onWelcome?.();
  }

  #capacityOfHello(): Capacity {
    this.#hasChanged = false;
    return { slots: this.#state === "running" ? this.#options.slots : 0, closed: this.closed };
  }

  #onChange(): void {
    this.#hasChanged = true;
    this.#sendCapacity();
  }

  #sendCapacity(): void {
    const { source, slots } = this.#options;
    if (this.#state === "running") source.capacity({ slots, closed: this.closed });
  }

  #onAssign(assignment: Assignment): void {
    const { source } = this.#options;
    const { lease } = assignment;
    const held = this.#ledger.get(lease.jobId);
    if (held !== undefined && held.lease.token >= lease.token) {
      if (held.lease.token > lease.token) return;
      source.accept(lease);
      if (held.result !== undefined) source.result(held.result);
      return;
    }
    if (held !== undefined) this.#onLost([held.lease]);
    const type = this.#types.get(assignment.name);
    const refusal = this.#refusal(type);
    if (type === undefined || refusal !== undefined) {
      this.#options.logger.debug({ job_id: lease.jobId, job: assignment.name, why: refusal }, "job refused");
      source.reject(lease, refusal ?? "");
      return;
    }
    source.accept(lease);
    const run = new JobRun(assignment, type, this.#host);
    this.#ledger.add(run);
    run.start();
  }

  #refusal(type: JobType | undefined): string | undefined {
    if (this.#state !== "running") return "the worker is shutting down";
    if (type === undefined) return "the worker does not know the job's type";
    if (this.#ledger.runCount >= this.#options.slots) return "the worker has no free slot";
    return undefined;
  }

  #onCommand(lease: Lease, command: OpCommand): void {
    this.#ledger.find(lease)?.run?.interrupt(command);
  }

  #onLost(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const run = this.#ledger.find(lease)?.run;
      if (run === undefined) this.#forget(lease);
      else run.interrupt("lost");
    }
  }

  #onEnd({ assignment, type, lastCheckIn: checkIn }: JobRun, end: RunEnd): void {
    const { lease, name } = assignment;
    const { logger, source } = this.#options;
    if (end.kind === "abandoned") {
      logger.warn({ job_id: lease.jobId, job: name }, "job abandoned: it is not this worker's any more");
      this.#ledger.remove(lease.jobId);
    } else {
      if (end.kind !== "postponed") this.#postponements.forget(lease.jobId);
      if (end.kind === "success") this.#gates.of(type).succeeded();
      if (end.kind === "failure") {
        const { reason, message, retryable } = end;
        logger.warn({ job_id: lease.jobId, job: name, attempt: assignment.attempt, reason, retryable }, message);
      }
      if (end.kind === "refused") {
        const facts = { job_id: lease.jobId, job: name, reason: end.reason, why: end.message };
        logger.info(facts, "this worker may not do the job; another one may");
      }
      const result = { lease, outcome: end, checkIn };
      this.#ledger.settle(result);
      source.result(result);
    }
    this.#conditions.check();
  }

  #forget(lease: Lease): void {
    if (this.#ledger.find(lease)?.result === undefined) return;
    this.#ledger.remove(lease.jobId);
    this.#conditions.check();
  }

  #onDrain(): void {
    if (this.#state !== "running") return;
    this.#options.logger.info({ jobs: this.#ledger.runCount }, "the controller drains this worker");
    this.#drain();
    void this.#conditions
      .until(() => this.#ledger.isEmpty, Number.POSITIVE_INFINITY)
      .then(() => this.#options.onGone?.("drained"));
  }

  #onSuperseded(): void {
    this.#state = "draining";
    this.#onLost(this.#ledger.leases());
    this.#options.onGone?.("superseded");
  }
}
