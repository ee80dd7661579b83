import assert from "node:assert/strict";
import {
  type HeldLease,
  type Job,
  type Lease,
  type NewJob,
  noPolicy,
  usualOptions,
} from "@drydock/job-controller/domain/job.ts";
import type { WorkerIdentity, WorkerInfo } from "@drydock/job-controller/domain/worker.ts";
import type { DueHook } from "@drydock/job-controller/ports/hook-outbox.ts";
import type { CheckIn } from "@drydock/job-controller/ports/job-pool.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { type PoolUnderTest, workerInfo, workerNamed } from "../support/pool.ts";
import {
  type LaunchShape,
  type Naming,
  type Note,
  names,
  type ScheduleShape,
  type Speaker,
  type Target,
  workerIds,
} from "./commands.ts";
import { History } from "./history.ts";
import type { ModelDelivery } from "./hooks.ts";
import { NewIds } from "./new-ids.ts";
import type { Drain } from "./queue.ts";
import { Refused } from "./refused.ts";
import { cronSpec, timeAfter } from "./schedules.ts";
import { ModelPool, type ShownJob, shownFields } from "./state.ts";
import { hello } from "./workers.ts";

const statusesOf = {
  running: ["RUNNING"],
  waiting: ["PENDING", "SCHEDULED"],
  ended: ["STOPPED", "CANCELLED", "ERROR", "SUCCESS"],
  periodic: ["SCHEDULED"],
  any: [],
} as const;

/** What every worker of the model says about itself. */
export const modelInfo = { ...workerInfo, jobNames: [...names] };

/** An answer, or why there is none. */
export type Outcome<T> = { value: T } | { reason: string; holder: string };

/** The pool, the model and what the workers know, for one run. */
export class Driver {
  readonly under: PoolUnderTest;
  readonly model = new ModelPool();
  readonly history = new History();
  /** The drains that are under way, by job type. */
  readonly drains = new Map<string, Drain>();
  /** The deliveries of hooks that somebody has in hand, as the pool and as the model know them. */
  readonly deliveries: Array<{ due: DueHook; delivery: ModelDelivery }> = [];
  readonly newIds: NewIds;
  /** Whether the last command was refused. */
  wasRefused = false;
  /** How many processes and streams each worker has had. */
  readonly #processes = new Map<string, number>();
  readonly #streams = new Map<string, number>();

  constructor(under: PoolUnderTest) {
    this.under = under;
    this.model.now = under.clock.now();
    this.newIds = new NewIds(under.shards);
  }

  /**
   * What both say to the same. The model is told the pool's answer only to hold a choice that is free to what may be chosen;
   * it never takes from it what is to be compared.
   */
  async both<T>(asked: Promise<T>, foretell: (answer: T | undefined) => unknown): Promise<T | undefined> {
    const actual = await outcomeOf(asked);
    const answer = "value" in actual ? actual.value : undefined;
    const expected = await outcomeOf(new Promise((resolve) => resolve(foretell(answer))));
    assert.deepEqual(actual, expected);
    this.wasRefused = !("value" in actual);
    return answer;
  }

  /** Moves the time on. */
  wait(ms: number): void {
    this.under.clock.advance(ms);
    this.model.now = this.under.clock.now();
  }

  /** The lease that the target stands for; of no job when there is none. */
  lease({ among, nth, stale, stranger }: Target): HeldLease {
    const all = [...this.model.jobs.values()];
    const wanted = all.filter(
      ({ status, kind }) =>
        statusesOf[among].some((one) => one === status) && (among !== "periodic" || kind === "PERIODIC"),
    );
    const from = wanted.length > 0 ? wanted : all;
    const job = from[nth % Math.max(1, from.length)];
    if (job === undefined) return { jobId: "00000000000000", token: 1, incarnation: "" };
    const own = this.model.workers.get(job.workerId)?.incarnation ?? "";
    const incarnation = stranger ? this.#strangerTo(job.workerId) : own;
    return { jobId: job.id, token: stale ? job.token - 1 : job.token, incarnation };
  }

  /** The process of another worker. */
  #strangerTo(workerId: string): string {
    const other = workerIds.find((id) => id !== workerId) ?? "w1";
    return this.worker({ at: workerIds.indexOf(other), late: false }).incarnation;
  }

  /** Who speaks. */
  worker({ at, late }: Speaker): WorkerIdentity {
    const workerId = workerIds[at] ?? "w1";
    const by = late ? 1 : 0;
    const process = (this.#processes.get(workerId) ?? 0) - by;
    return workerNamed(workerId, `${workerId}-process${process}`, `stream${(this.#streams.get(workerId) ?? 0) - by}`);
  }

  /** What the worker says about itself now. */
  infoOf({ workerId }: WorkerIdentity): WorkerInfo {
    const { draining = false, closed = new Map() } = this.model.workers.get(workerId) ?? {};
    return { ...modelInfo, draining, closed: [...closed.values()] };
  }

  /** Begins another stream of the worker, perhaps from another process. */
  connect({ at }: Speaker, process: "same" | "next"): void {
    const workerId = workerIds[at] ?? "w1";
    this.#streams.set(workerId, (this.#streams.get(workerId) ?? 0) + 1);
    if (process === "next") this.#processes.set(workerId, (this.#processes.get(workerId) ?? 0) + 1);
  }

  /** Every worker says hello for the first time. */
  async greet(): Promise<void> {
    for (const workerId of workerIds) {
      await this.under.pool.hello(workerNamed(workerId, `${workerId}-process0`, "stream0"), modelInfo, []);
      hello(this.model, workerNamed(workerId, `${workerId}-process0`, "stream0"), []);
    }
  }

  /** What the worker names as held. */
  named({ workerId }: WorkerIdentity, { part, foreign }: Naming): Lease[] {
    const held = this.model.heldBy(workerId).map(({ id, token }) => ({ jobId: id, token }));
    const chosen = part === "all" ? held : held.filter((_, at) => part === "odd" && at % 2 === 1);
    return foreign ? [...chosen, this.lease({ among: "any", nth: held.length, stale: true, stranger: false })] : chosen;
  }

  /** Compares every job with the model. */
  async compareJobs(): Promise<void> {
    const expected = [...this.model.jobs.values()];
    const actual = await Promise.all(expected.map(({ id }) => this.under.pool.get(id)));
    for (const [at, job] of actual.entries()) {
      const model = expected[at];
      assert.deepEqual(shown(job), model && withoutMessage(this.model.show(model)));
      assert.deepEqual(job.periodicCounts, model?.plan?.counts, job.id);
      this.history.observe(job, this.model.now);
    }
  }
}

/** Why the shape may not be launched, if so. */
export function refusalFor({ isFull }: LaunchShape): ReasonedError | undefined {
  return isFull ? new ReasonedError("POOL_FULL", "the pool is full") : undefined;
}

/** The job that the shape stands for. */
export function toNewJob(shape: LaunchShape, now: number): NewJob & { options: NonNullable<NewJob["options"]> } {
  const { name, delayMs, policy, isFull: _, ...options } = shape;
  return {
    name,
    parametersJson: '{"image":"demo"}',
    traceparent: "",
    options: {
      ...usualOptions,
      ...options,
      kind: delayMs > 0 ? "SCHEDULED" : "GENERIC",
      runAt: delayMs > 0 ? now + delayMs : 0,
      policy: policy && { ...noPolicy, ...policy },
    },
  };
}

/** The periodic job that the shapes stand for. */
export function toPeriodicJob(shape: LaunchShape, { overlap, catchUpMs, lastsMs }: ScheduleShape, now: number) {
  const job = toNewJob({ ...shape, delayMs: 0 }, now);
  const endAt = lastsMs === 0 ? 0 : now + lastsMs;
  const schedule = { cronSpec, timeZone: "UTC", overlap, catchUpMs, jitterMs: 0, startAt: 0, endAt };
  return { ...job, options: { ...job.options, kind: "PERIODIC" as const, runAt: timeAfter(now), schedule } };
}

/** The check-in that is meant. */
export function toCheckIn({ text, percent }: Note): CheckIn {
  return {
    ...(text === undefined ? {} : { text }),
    ...(percent === undefined ? {} : { progress: { phase: "scan", percent } }),
  };
}

/** The job's fields that the model foretells. */
export function shown(job: Job): ShownJob {
  const entries = shownFields.map((field) => [field, job[field]]);
  return withoutMessage(Object.fromEntries(entries) as ShownJob);
}

/** The texts of errors are free. */
function withoutMessage(job: ShownJob): ShownJob {
  const { lastError } = job;
  return lastError === undefined ? job : { ...job, lastError: { ...lastError, message: "" } };
}

async function outcomeOf<T>(asked: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await asked };
  } catch (error) {
    if (error instanceof Refused) return { reason: error.reason, holder: error.holder };
    if (!(error instanceof ReasonedError)) throw error;
    const holder = error.reason === "JOB_ALREADY_EXISTS" ? error.facts.metadata?.job_id : undefined;
    return { reason: error.reason, holder: holder ?? "" };
  }
}
