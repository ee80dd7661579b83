import assert from "node:assert/strict";
import { type HeldLease, type JobCommand, type NewJob, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { isFinal } from "@drydock/job-controller/domain/job-state.ts";
import { refuse } from "./refused.ts";
import { planOf } from "./schedules.ts";
import {
  finish,
  leaveOutWaiting,
  type ModelJob,
  type ModelPool,
  newModelJob,
  nextToken,
  statusAfter,
} from "./state.ts";
import { standing } from "./workers.ts";

/** Stores a job under that id if there is room, or gives the one that the same request launched before. */
export function launch(
  pool: ModelPool,
  id: string,
  job: NewJob,
  { upstreamJobId = "", isFull = false } = {},
): ModelJob {
  const { options = usualOptions } = job;
  const before = pool.jobs.get(pool.requests.get(options.requestKey) ?? "");
  if (options.requestKey !== "" && before !== undefined) return before;
  if (isFull) refuse("POOL_FULL");
  keepUnique(pool, id, options.uniqueKey);
  const made = { ...newModelJob(id, pool.now, { ...job, options }), upstreamJobId };
  if (options.kind === "PERIODIC") {
    Object.assign(made, { status: "SCHEDULED", runAt: options.runAt, plan: planOf(options) });
  } else if (options.runAt > pool.now) Object.assign(made, { status: "SCHEDULED", runAt: options.runAt });
  else made.turn = pool.newBack();
  if (made.plan === undefined) waitForFirstRun(made, Math.max(pool.now, made.runAt));
  if (options.requestKey !== "") pool.requests.set(options.requestKey, id);
  pool.add(made);
  return made;
}

/** Stores a job for one that runs, once for each key while the job is kept. */
export function launchSubJob(
  pool: ModelPool,
  parentLease: HeldLease,
  key: string,
  child: { id: string; job: NewJob; isFull: boolean },
): ModelJob {
  const parent = pool.find(parentLease.jobId);
  if (standing(pool, parent, parentLease) !== "held") refuse("LEASE_LOST");
  const before = launchedBefore(pool, parent, key);
  if (before === undefined && child.isFull) refuse("POOL_FULL");
  const holder = before ?? holderOf(pool, child.job);
  const made = holder ?? launch(pool, child.id, inFamily(parent, child.job), { upstreamJobId: parent.id });
  pool.subJobs.set(`${parent.id} ${key}`, { id: made.id, life: parent.lives });
  if (holder === undefined) parent.executions.push(made.id);
  if (before === undefined && parent.command !== undefined) passOn(pool, parent, parent.command);
  return made;
}

/** The job in the lane of its parent, unless it has one of its own. */
function inFamily(parent: ModelJob, job: NewJob): NewJob {
  const { options = usualOptions } = job;
  return { ...job, options: { ...options, fairnessKey: options.fairnessKey || parent.fairnessKey || parent.id } };
}

/** Of a former life of its parent only what succeeded or goes on. */
function launchedBefore(pool: ModelPool, parent: ModelJob, key: string): ModelJob | undefined {
  const known = pool.subJobs.get(`${parent.id} ${key}`);
  const job = pool.jobs.get(known?.id ?? "");
  if (job === undefined || known?.life === parent.lives) return job;
  const goesOn = !isFinal(job.status) && job.command === undefined;
  return goesOn || job.status === "SUCCESS" ? job : undefined;
}

/** The job that holds the unique key is the answer, unless it is about to end. */
function holderOf(pool: ModelPool, { options = usualOptions }: NewJob): ModelJob | undefined {
  const holder = aliveWith(pool, options.uniqueKey);
  if (holder?.command !== undefined) refuse("JOB_ALREADY_EXISTS", holder.id);
  return holder;
}

/** Ends a waiting job; of a running one notes the command. What it launched is ended later. */
export function end(pool: ModelPool, id: string, command: JobCommand): ModelJob {
  const job = pool.find(id);
  const isOver = isFinal(job.status) && job.status !== statusAfter(command);
  if (isOver) refuse("JOB_STATUS_FORBIDS");
  if (endJob(pool, job, command)) passOn(pool, job, command);
  return job;
}

/**
 * Passes stops and cancels on to the jobs that the ended jobs launched, and to what those launched.
 * @param firstOf which came first where both may: of a job that waits, below one that is stopped and another cancelled
 */
export function endSubJobs(pool: ModelPool, firstOf: (job: ModelJob) => JobCommand): void {
  for (const [job, commands] of reachedFrom(pool)) {
    const isFree = commands.size > 1 && job.status !== "RUNNING" && !isFinal(job.status);
    const first = isFree ? firstOf(job) : commands.has("stop") ? "stop" : "cancel";
    assert.ok(commands.has(first), `${job.id} was to ${[...commands]}, not to ${first}`);
    endJob(pool, job, first);
  }
  pool.ending.clear();
}

/** The jobs below those that end, and which commands can come to them. What is open as a stop is passed on as nothing else. */
function reachedFrom(pool: ModelPool): Map<ModelJob, Set<JobCommand>> {
  const reached = new Map<ModelJob, Set<JobCommand>>();
  const visit = (parentId: string, command: JobCommand) => {
    const parent = pool.jobs.get(parentId);
    for (const id of parent?.executions ?? []) {
      const job = pool.jobs.get(id);
      if (job === undefined || goesOn(parent, job)) continue;
      reached.set(job, (reached.get(job) ?? new Set()).add(command));
      visit(id, pool.ending.get(id) === "stop" ? "stop" : command);
    }
  };
  for (const [parentId, command] of pool.ending) visit(parentId, command);
  return reached;
}

/** What a periodic job launched goes on, but for what was waiting when that was ended. */
function goesOn(parent: ModelJob | undefined, job: ModelJob): boolean {
  if (parent?.plan === undefined) return false;
  return isFinal(job.status) || (job.status === "RUNNING" && job.startedAt <= parent.endedAt);
}

/** A stop is stronger than a cancel. */
function endJob(pool: ModelPool, job: ModelJob, command: JobCommand): boolean {
  const isAsked = job.command === "stop" || job.command === command;
  if (isFinal(job.status) || isAsked) return false;
  if (job.status === "RUNNING") Object.assign(job, { command, commandAt: pool.now });
  else finish(pool, job, statusAfter(command));
  if (job.plan !== undefined) {
    job.plan.counts.paused = false;
    leaveOutWaiting(job.plan);
  }
  return true;
}

/** What the job launched is to end, too. */
export function passOn(pool: ModelPool, job: ModelJob, command: JobCommand): void {
  const hasAsked = [...pool.subJobs.keys()].some((key) => key.startsWith(`${job.id} `));
  const isParent = hasAsked || job.executions.length > 0;
  if (isParent && pool.ending.get(job.id) !== "stop") pool.ending.set(job.id, command);
}

/** Brings a job back; its attempts count anew. */
export function retry(pool: ModelPool, id: string): ModelJob {
  const job = pool.find(id);
  if (job.kind === "PERIODIC" || (job.status !== "CANCELLED" && job.status !== "ERROR")) refuse("JOB_STATUS_FORBIDS");
  keepUnique(pool, id, job.uniqueKey);
  job.token = nextToken(pool, job);
  Object.assign(job, { status: "PENDING", attempt: 0, crashes: 0, startedAt: 0, endedAt: 0 });
  Object.assign(job, { checkIn: "", checkInAt: 0, progress: undefined });
  Object.assign(job, { turn: pool.newBack() });
  waitForFirstRun(job, pool.now);
  pool.ending.delete(id);
  job.lives++;
  return job;
}

/** Only one job of a unique key lives. */
function keepUnique(pool: ModelPool, id: string, uniqueKey: string): void {
  const holder = aliveWith(pool, uniqueKey);
  if (holder !== undefined && holder.id !== id) refuse("JOB_ALREADY_EXISTS", holder.id);
}

function aliveWith(pool: ModelPool, uniqueKey: string): ModelJob | undefined {
  const alive = uniqueKey === "" ? [] : pool.inStatus("SCHEDULED", "PENDING", "RUNNING");
  return alive.find((job) => job.uniqueKey === uniqueKey);
}

/** The wait counts from when the job could have run. */
function waitForFirstRun(job: ModelJob, from: number): void {
  const longest = job.policy?.queueTimeoutMs ?? 0;
  job.expiresAt = longest > 0 ? from + longest : 0;
}
