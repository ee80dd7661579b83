import assert from "node:assert/strict";
import type { Job, JobCommand, NewJob } from "@drydock/job-controller/domain/job.ts";
import { type JobStatus, jobStatuses } from "@drydock/job-controller/domain/job-state.ts";
import type { OverlapPolicy, PeriodicCounts } from "@drydock/job-controller/domain/schedule.ts";
import type { ClosedType } from "@drydock/job-controller/domain/worker.ts";
import { hookStatusOf, type ModelHook, newModelHook } from "./hook-state.ts";
import { Refusals } from "./refusals.ts";
import { refuse } from "./refused.ts";

/** The fields of a job that the model foretells. */
export const shownFields = [
  ...(["id", "name", "kind", "status", "token", "attempt", "crashes", "command", "upstreamJobId", "workerId"] as const),
  ...(["priority", "fairnessKey", "uniqueKey", "policy", "labels", "traceparent", "parametersJson"] as const),
  ...(["enqueuedAt", "runAt", "startedAt", "endedAt", "checkIn", "checkInAt", "progress", "lastError"] as const),
  ...(["executions", "executionTotals", "scheduledFor", "postponedSince", "statusHook", "hookStatus"] as const),
] as const;

/** A job as the model shows it. */
export type ShownJob = Pick<Job, (typeof shownFields)[number]>;

/** When a periodic job launches, and how it has done. */
export interface ModelPlan {
  /** Its next time; 0 while it is paused. */
  nextAt: number;
  overlap: OverlapPolicy;
  catchUpMs: number;
  endAt: number;
  counts: PeriodicCounts;
  /** The id of the launch that waits until the job before has ended. */
  waitingId: string;
  /** The time for which that launch is. */
  waitingFor: number;
}

/** A job as the model holds it; executionTotals and hookStatus are made when it is shown. */
export interface ModelJob extends Omit<ShownJob, "executionTotals" | "hookStatus"> {
  /** Its place in its lane, the least first; those of one number may come in any order. */
  turn: number;
  /** How often it was retried. */
  lives: number;
  /** Under which time it is kept among the ended: its end, or the newest one when the clock went back. */
  keptFrom: number;
  /** Its place among all ends of the pool. */
  endedAs: number;
  /** When the open command was asked for. */
  commandAt: number;
  /** When its wait for the first run ends; 0 is never. */
  expiresAt: number;
  /** Of a periodic job. */
  plan: ModelPlan | undefined;
  /** It runs under a limit of its type or key, for which it counts. */
  isLimited: boolean;
  /** Whom it was refused to. */
  refusals: Refusals;
  /** What its status hook is told; undefined without one. */
  hook: ModelHook | undefined;
  log: Buffer;
  /** How far it has come; empty when it did not say. */
  checkpoint: string;
}

/** A worker as the model holds it. */
export interface ModelWorker {
  incarnation: string;
  session: string;
  leaseEndsAt: number;
  /** It said that it takes no more jobs. */
  draining: boolean;
  /** By job type. */
  closed: Map<string, ClosedType>;
}

/** All that the pool is, in plain lists and maps. */
export class ModelPool {
  now = 0;
  /** The latest time that it ever was: the clock may go back. */
  latest = 0;
  readonly jobs = new Map<string, ModelJob>();
  /** Jobs past their keep time; their parents still count them. */
  readonly gone: ModelJob[] = [];
  readonly workers = new Map<string, ModelWorker>();
  /** Worker id -> its processes, the newest one last. */
  readonly processes = new Map<string, string[]>();
  /** Worker id -> the process that is to go. */
  readonly drained = new Map<string, string>();
  readonly paused = new Set<string>();
  /** Request key -> job id. */
  readonly requests = new Map<string, string>();
  /** Parent id and key -> the job, and the life of its parent that asked for it last. */
  readonly subJobs = new Map<string, { id: string; life: number }>();
  /** Job that was to end -> what is to be passed on to the jobs that it launched. */
  readonly ending = new Map<string, JobCommand>();
  /** The reports, by job id; they outlive their jobs. */
  readonly reports = new Map<string, string>();
  /** Digest -> the job with its newest report. */
  readonly newestReports = new Map<string, string>();
  /** The names of all jobs that there ever were. */
  readonly names = new Set<string>();
  /** Final status -> the last end that a sweep has left for later, and when its round began. */
  readonly swept = new Map<JobStatus, { behind: number; began: number }>();
  /** The newest end in each final status. */
  readonly newestEnd = new Map<JobStatus, number>();
  #ends = 0;
  #front = 0;
  #back = 0;
  #backOfCommand: number | undefined;

  /** The job. */
  find(id: string): ModelJob {
    return this.jobs.get(id) ?? refuse("JOB_NOT_FOUND");
  }

  /** The jobs that stand there. */
  inStatus(...statuses: JobStatus[]): ModelJob[] {
    return [...this.jobs.values()].filter(({ status }) => statuses.includes(status));
  }

  /** The periodic jobs that have not ended. */
  get periodic(): ModelJob[] {
    return this.inStatus("SCHEDULED").filter(({ kind }) => kind === "PERIODIC");
  }

  /** The jobs that the worker holds. */
  heldBy(workerId: string): ModelJob[] {
    return this.inStatus("RUNNING").filter((job) => job.workerId === workerId);
  }

  /** Stores a new job. */
  add(job: ModelJob): void {
    assert.ok(!this.jobs.has(job.id), `${job.id} is the id of two jobs`);
    this.jobs.set(job.id, job);
    this.names.add(job.name);
  }

  /** The place of another end. */
  newEnd(): number {
    return ++this.#ends;
  }

  /** A place before all others. */
  newFront(): number {
    return --this.#front;
  }

  /** A place behind all others. */
  newBack(): number {
    return ++this.#back;
  }

  /** A place behind all others, the same for all that one command launches. */
  backOfCommand(): number {
    this.#backOfCommand ??= this.newBack();
    return this.#backOfCommand;
  }

  /** Another command begins. */
  nextCommand(): void {
    this.#backOfCommand = undefined;
    this.latest = Math.max(this.latest, this.now);
  }

  /** The job as users see it. */
  show(job: ModelJob): ShownJob {
    const { turn: _, commandAt: _at, lives: _lives, keptFrom: _kept, refusals: _refusals, ...rest } = job;
    const {
      expiresAt: _expires,
      isLimited: _limited,
      plan: _plan,
      endedAs: _end,
      hook: _hook,
      log: _log,
      checkpoint: _checkpoint,
      ...shown
    } = rest;
    const launched = [...this.jobs.values(), ...this.gone].filter(({ upstreamJobId }) => upstreamJobId === job.id);
    const executionTotals: ShownJob["executionTotals"] = {};
    for (const status of jobStatuses) {
      const count = launched.filter((child) => child.status === status).length;
      if (count > 0) executionTotals[status] = count;
    }
    return { ...shown, executions: job.executions.slice(0, 100), executionTotals, hookStatus: hookStatusOf(job.hook) };
  }
}

/** Tokens grow with time, so that none comes again. */
export function nextToken(pool: ModelPool, job: ModelJob): number {
  return Math.max(job.token + 1, pool.now);
}

/** A job that has just been made; it stands nowhere yet. */
export function newModelJob(
  id: string,
  now: number,
  job: NewJob & { options: NonNullable<NewJob["options"]> },
): ModelJob {
  const { name, parametersJson, traceparent, options } = job;
  const { kind, priority, fairnessKey, uniqueKey, policy, labels, statusHook } = options;
  return {
    ...{ id, name, kind, priority, fairnessKey, uniqueKey, policy, labels, statusHook, traceparent, parametersJson },
    ...{ status: "PENDING", token: 0, attempt: 0, crashes: 0, command: undefined, upstreamJobId: "", workerId: "" },
    ...{ enqueuedAt: now, runAt: 0, startedAt: 0, endedAt: 0, checkIn: "", checkInAt: 0 },
    ...{ progress: undefined, lastError: undefined, executions: [], scheduledFor: 0, postponedSince: 0 },
    ...{
      turn: 0,
      commandAt: 0,
      lives: 0,
      keptFrom: 0,
      endedAs: 0,
      expiresAt: 0,
      isLimited: false,
      plan: undefined,
      refusals: new Refusals(),
      hook: statusHook === "" ? undefined : newModelHook(),
      log: Buffer.alloc(0),
      checkpoint: "",
    },
  };
}

/** Ends a run. */
export function finish(pool: ModelPool, job: ModelJob, status: JobStatus): void {
  const keptFrom = Math.max(pool.now, pool.newestEnd.get(status) ?? 0);
  pool.newestEnd.set(status, keptFrom);
  Object.assign(job, {
    status,
    endedAt: pool.now,
    keptFrom,
    endedAs: pool.newEnd(),
    runAt: 0,
    expiresAt: 0,
    command: undefined,
    postponedSince: 0,
    refusals: new Refusals(),
  });
  // a retry goes on from there
  if (status === "SUCCESS" || status === "STOPPED") job.checkpoint = "";
  launchWaiting(pool, pool.jobs.get(job.upstreamJobId));
}

/** The jobs that it launched and that have not ended. */
export function aliveOf(pool: ModelPool, { id }: ModelJob): ModelJob[] {
  return pool.inStatus("SCHEDULED", "PENDING", "RUNNING").filter(({ upstreamJobId }) => upstreamJobId === id);
}

/** What waited until the last one had ended is launched; after its last time the periodic job ends. */
function launchWaiting(pool: ModelPool, parent: ModelJob | undefined): void {
  const plan = parent?.plan;
  if (parent === undefined || !plan?.counts.waiting || aliveOf(pool, parent).length > 0) return;
  plan.counts.waiting = false;
  launchExecution(pool, parent, plan.waitingId, plan.waitingFor);
  if (plan.nextAt === 0) finish(pool, parent, "STOPPED");
}

/** What waits is left out. */
export function leaveOutWaiting({ counts }: ModelPlan): void {
  if (counts.waiting) counts.skipped++;
  counts.waiting = false;
}

/** A periodic job launches one, for that time of its line. */
export function launchExecution(pool: ModelPool, parent: ModelJob, id: string, scheduledFor: number): void {
  const { name, priority, fairnessKey, policy, labels, statusHook, traceparent, parametersJson } = parent;
  const options = { kind: "SCHEDULED", priority, fairnessKey, policy, labels, statusHook, uniqueKey: "" } as const;
  const none = { runAt: 0, requestKey: "", schedule: undefined };
  const job = { name, traceparent, parametersJson, options: { ...options, ...none } };
  const made = {
    ...newModelJob(id, pool.now, job),
    upstreamJobId: parent.id,
    scheduledFor,
    turn: pool.backOfCommand(),
  };
  // the time of a launch that waited may be ahead of a clock that is behind
  if (scheduledFor > pool.now) Object.assign(made, { status: "SCHEDULED", runAt: scheduledFor });
  const longest = policy?.queueTimeoutMs ?? 0;
  made.expiresAt = longest > 0 ? Math.max(pool.now, scheduledFor) + longest : 0;
  pool.add(made);
  parent.executions.push(id);
  if (parent.plan !== undefined) parent.plan.counts.launched++;
}

/** What a stop or cancel ends in. */
export function statusAfter(command: JobCommand): JobStatus {
  return command === "stop" ? "STOPPED" : "CANCELLED";
}
