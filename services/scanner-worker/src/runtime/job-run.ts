import { maxTimerMs } from "@drydock/shared/abort.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobType } from "../ports/job.ts";
import type { JobServices } from "../ports/job-services.ts";
import type { Assignment, CheckIn, Lease, Outcome } from "../ports/job-source.ts";
import { beginningOf, endingOf } from "./attempt-lines.ts";
import { outcomeOfThrown } from "./failure.ts";
import { type InterruptionKind, outcomeOf, supersedes } from "./interruption.ts";
import { RunContext } from "./job-context.ts";
import { parseParameters } from "./parameters.ts";
import type { TypeGate } from "./type-gate.ts";

/** How long the log may take to be stored before the result goes out, in milliseconds. */
const logFlushMs = 2000;
/** How long handlers may take to end when the worker shuts down, in milliseconds. */
const shutdownGraceMs = 2000;

/** How a run ended; "abandoned" reports nothing, as the job is not the worker's any more. */
export type RunEnd = Outcome | { kind: "abandoned" };

/** What runs need to know of their worker. */
export interface RunHost {
  workerId: string;
  services: JobServices;
  logger: Logger;
  now: () => number;
  /** How long a handler may take to obey, in milliseconds. */
  graceMs: () => number;
  /** Whether messages reach the controller. */
  isConnected: () => boolean;
  checkIn(lease: Lease, checkIn: CheckIn): void;
  gateOf(type: JobType): TypeGate;
  /** The wait of a job that the outside failed, in milliseconds: at least `atLeastMs`. */
  waitMs(jobId: string, atLeastMs: number): number;
  /** Called exactly once for each run. */
  onEnd(run: JobRun, end: RunEnd): void;
}

/** One attempt of a job. Never throws; ends exactly once. */
export class JobRun {
  readonly assignment: Assignment;
  readonly type: JobType;
  readonly #host: RunHost;
  readonly #context: RunContext;
  #interruption: InterruptionKind | undefined;
  #handlerEnded = false;
  #isOver = false;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #graceTimer: NodeJS.Timeout | undefined;
  #graceEndsAt = Number.POSITIVE_INFINITY;

  constructor(assignment: Assignment, type: JobType, host: RunHost) {
    this.assignment = assignment;
    this.type = type;
    this.#host = host;
    this.#context = new RunContext({
      assignment,
      services: host.services,
      opening: () => beginningOf(assignment, type, host.workerId),
      checkIn: (checkIn) => host.checkIn(assignment.lease, checkIn),
      onLost: () => this.interrupt("lost"),
      now: host.now,
    });
  }

  get lastCheckIn(): CheckIn | undefined {
    return this.#context.lastCheckIn;
  }

  /** Sends the latest check-in again, in case it was lost. */
  repeatCheckIn(): void {
    this.#context.repeatCheckIn();
  }

  start(): void {
    const timeoutMs = this.assignment.timeoutMs ?? this.type.timeoutMs;
    if (timeoutMs !== undefined) this.#interruptAfter(timeoutMs);
    void this.#run();
  }

  /** Asks the handler to end. A lost job ends at once, whatever its handler does. */
  interrupt(kind: InterruptionKind): void {
    if (this.#isOver || (this.#handlerEnded && kind !== "lost")) return;
    if (supersedes(kind, this.#interruption)) {
      this.#interruption = kind;
      this.#context.interrupt(kind);
    }
    if (kind === "lost") this.#end({ kind: "abandoned" });
    else this.#watchGrace(kind === "shutdown" ? shutdownGraceMs : this.#host.graceMs());
  }

  async #run(): Promise<void> {
    const outcome = await this.#handle();
    this.#handlerEnded = true;
    clearTimeout(this.#graceTimer);
    if (this.#isOver) return;
    const end = this.#interruption === undefined ? outcome : endOf(this.#interruption);
    if (end.kind !== "abandoned") this.#logEnd(end);
    if (this.#context.hasLog) await this.#storeLog();
    this.#end(end);
  }

  /** A success, and an end that was asked for, are only logged where the job has a log already. */
  #logEnd(end: Outcome): void {
    const isTrouble = "reason" in end;
    if (!isTrouble && !this.#context.hasLog) return;
    const { level, text } = endingOf(this.assignment, this.type, end);
    this.#context.logger[level](text);
  }

  async #handle(): Promise<Outcome> {
    const type = this.type;
    const { jobId } = this.assignment.lease;
    const gate = this.#host.gateOf(type);
    try {
      const refusal = gate.failure && (await gate.refusal(jobId, this.#context.signal));
      if (refusal !== undefined) return this.#outcomeOf(refusal);
      const parameters = parseParameters(type, this.assignment.parametersJson);
      type.validate(parameters);
      await type.run(this.#context, parameters);
      return { kind: "success" };
    } catch (error) {
      return this.#outcomeOf(await gate.judge(error, jobId));
    }
  }

  #outcomeOf(error: unknown): Outcome {
    const { jobId } = this.assignment.lease;
    return outcomeOfThrown(error, this.type, (atLeastMs) => this.#host.waitMs(jobId, atLeastMs));
  }

  /** The result waits for the log: for a short time, or until the controller is back. */
  async #storeLog(): Promise<void> {
    while (!this.#isOver) {
      const wasConnected = this.#host.isConnected();
      if ((await this.#context.flushLog(logFlushMs)) || wasConnected) return;
    }
  }

  #end(end: RunEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadlineTimer);
    clearTimeout(this.#graceTimer);
    this.#context.close();
    this.#host.onEnd(this, end);
  }

  /** Timers alone measure the run: they go on evenly when somebody sets the machine's clock. */
  #interruptAfter(timeoutMs: number): void {
    const waitMs = Math.min(timeoutMs, maxTimerMs);
    const passed = () => (timeoutMs > waitMs ? this.#interruptAfter(timeoutMs - waitMs) : this.interrupt("deadline"));
    this.#deadlineTimer = setTimeout(passed, waitMs);
  }

  /** A handler that ignores its signal is left behind: its slot is free again and its calls are refused. */
  #watchGrace(graceMs: number): void {
    const endsAt = performance.now() + graceMs;
    if (endsAt >= this.#graceEndsAt) return;
    this.#graceEndsAt = endsAt;
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => {
      const { lease, name } = this.assignment;
      const kind = this.#interruption ?? "shutdown";
      const facts = { job_id: lease.jobId, job: name, grace_ms: graceMs, asked: kind };
      this.#host.logger.warn(facts, "left a handler behind that ignored its signal");
      this.#end(endOf(kind));
    }, graceMs);
  }
}

function endOf(kind: InterruptionKind): RunEnd {
  return outcomeOf(kind) ?? { kind: "abandoned" };
}
