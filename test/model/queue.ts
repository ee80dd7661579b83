import assert from "node:assert/strict";
import type { WorkerIdentity } from "@drydock/job-controller/domain/worker.ts";
import type { Claim, ClaimableType } from "@drydock/job-controller/ports/job-pool.ts";
import { finish, type ModelJob, type ModelPool, nextToken } from "./state.ts";
import { passOn } from "./users.ts";
import { checkWorker, isBarred } from "./workers.ts";

/** A claim whose outcome was `taken`: how many come is certain, which of the lanes of a priority comes next is not. */
export function claim(
  pool: ModelPool,
  worker: WorkerIdentity,
  { types, limit }: { types: readonly ClaimableType[]; limit: number },
  taken: readonly string[],
): Claim {
  checkWorker(pool, worker);
  const jobs: Claim["jobs"] = [];
  for (const type of types) {
    const { name, maxRunning, maxOfKey } = type;
    const wanted = Math.min(limit - jobs.length, room(pool, name, maxRunning));
    let count = 0;
    for (; count < wanted && allowed(pool, type, worker).length > 0; count++) {
      const job = takeNext(allowed(pool, type, worker), taken[jobs.length]);
      start(pool, job, worker.workerId);
      job.isLimited = maxRunning + maxOfKey > 0;
      const { id, token, attempt, traceparent, policy, parametersJson, log } = job;
      const runTimeoutMs = policy?.runTimeoutMs ?? 0;
      jobs.push({ id, token, name, attempt, logOffset: log.length, traceparent, runTimeoutMs, parametersJson });
    }
  }
  return { jobs, more: jobs.length === limit, busy: [], refused: [] };
}

/** Holds the types of which a claim has met jobs for other workers to what waits: all of them when it has looked at all. */
export function checkRefused(
  pool: ModelPool,
  { workerId }: WorkerIdentity,
  { types, limit }: { types: readonly ClaimableType[]; limit: number },
  { jobs, refused }: Claim,
): void {
  const barred = types.filter(({ name }) => waiting(pool, name).some((job) => isBarred(pool, job, workerId)));
  const names = barred.map(({ name }) => name);
  assert.deepEqual(
    refused.filter((name) => !names.includes(name)),
    [],
  );
  if (jobs.length === limit) return;
  const looked = barred.filter(
    ({ name, maxRunning, maxOfKey }) => !pool.paused.has(name) && maxRunning + maxOfKey === 0,
  );
  assert.deepEqual(
    looked.map(({ name }) => name).filter((name) => !refused.includes(name)),
    [],
  );
}

/** A drain that is under way: what was launched before it began, and the turns of what waited then. */
export interface Drain {
  launched: ReadonlySet<string>;
  waited: ReadonlyMap<string, number>;
  /** Where it goes on. */
  next: string;
}

/** A drain that begins now. */
export function beginDrain(pool: ModelPool, name: string): Drain {
  const waited = new Map(waiting(pool, name).map(({ id, turn }) => [id, turn]));
  return { launched: new Set(pool.jobs.keys()), waited, next: "" };
}

/** A part of a drain that stopped those jobs; when it is the last one, nothing is left of what has waited all the time. */
export function drain(
  pool: ModelPool,
  { launched, waited }: Drain,
  { name, limit, stopped, isLast }: { name: string; limit: number; stopped: ReadonlySet<string>; isLast: boolean },
): number {
  assert.ok(stopped.size <= limit, "drains no more than the limit");
  const all = waiting(pool, name);
  const overtaken = all.filter((job) => !stopped.has(job.id) && waited.get(job.id) === job.turn);
  for (const job of all.filter(({ id }) => stopped.has(id))) {
    const passed = overtaken.filter((other) => isBefore(other, job));
    assert.deepEqual(passed, [], `${job.id} was stopped before what stood before it`);
    assert.ok(launched.has(job.id), `${job.id} was launched after the drain began`);
    finish(pool, job, "STOPPED");
    passOn(pool, job, "stop");
  }
  const left = waiting(pool, name).filter(({ id, turn }) => waited.get(id) === turn);
  if (isLast) assert.deepEqual(left, [], "the drain is done and has left jobs that had waited");
  return stopped.size;
}

/** Whether a drain comes to the one first: it has a higher priority, or stands before the other in the same lane. */
function isBefore(one: ModelJob, other: ModelJob): boolean {
  if (one.priority !== other.priority) return one.priority > other.priority;
  return laneOf(one) === laneOf(other) && one.turn < other.turn;
}

/** The jobs of the type that wait. */
export function waiting(pool: ModelPool, name: string): ModelJob[] {
  return pool.inStatus("PENDING").filter((job) => job.name === name);
}

/** The jobs of the type that wait for the worker too and that their key's limit lets run, were there slots for all. */
function allowed(pool: ModelPool, { name, maxOfKey }: ClaimableType, { workerId }: WorkerIdentity): ModelJob[] {
  const jobs = waiting(pool, name).filter((job) => !isBarred(pool, job, workerId));
  if (maxOfKey === 0) return jobs;
  const keys = Map.groupBy(jobs, ({ fairnessKey }) => fairnessKey);
  return [...keys].flatMap(([key, ofKey]) => {
    if (key === "") return ofKey;
    const running = limited(pool, name).filter((job) => job.fairnessKey === key).length;
    return running < maxOfKey ? ofKey : [];
  });
}

/** The jobs of the type that count for its limits. */
function limited(pool: ModelPool, name: string): ModelJob[] {
  return pool.inStatus("RUNNING").filter((job) => job.name === name && job.isLimited);
}

/** The lane among those of a priority: what a worker was refused for stands apart. */
export function laneOf({ fairnessKey, refusals }: ModelJob): string {
  return `${refusals.isEmpty} ${fairnessKey}`;
}

/** Those that may be next: of the highest priority, the first of each lane. */
function nextOnes(all: ModelJob[]): ModelJob[] {
  const highest = Math.max(...all.map(({ priority }) => priority));
  const lanes = Map.groupBy(
    all.filter(({ priority }) => priority === highest),
    laneOf,
  );
  return [...lanes.values()].flatMap((lane) => {
    const first = Math.min(...lane.map(({ turn }) => turn));
    return lane.filter((job) => job.turn === first);
  });
}

function takeNext(all: ModelJob[], id: string | undefined): ModelJob {
  const next = nextOnes(all);
  const job = next.find((candidate) => candidate.id === id);
  assert.ok(job !== undefined, `${id} was claimed where ${next.map((one) => one.id)} come next`);
  return job;
}

function start(pool: ModelPool, job: ModelJob, workerId: string): void {
  job.token = nextToken(pool, job);
  job.attempt++;
  Object.assign(job, { status: "RUNNING", startedAt: pool.now, workerId, expiresAt: 0 });
}

function room(pool: ModelPool, name: string, maxRunning: number): number {
  if (pool.paused.has(name)) return 0;
  if (maxRunning === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, maxRunning - limited(pool, name).length);
}
