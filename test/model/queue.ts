import assert from "node:assert/strict";
import type { WorkerIdentity } from "@drydock/job-controller/domain/worker.ts";
import type { Claim, ClaimableType } from "@drydock/job-controller/ports/job-pool.ts";
import type { DrainReport } from "@drydock/job-controller/ports/queue-control.ts";
import { finish, type ModelJob, type ModelPool } from "./state.ts";
import { passOn } from "./users.ts";
import { checkWorker } from "./workers.ts";

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
    const { name, most, mostOfKey } = type;
    const wanted = Math.min(limit - jobs.length, room(pool, name, most));
    let count = 0;
    for (; count < wanted && allowed(pool, type).length > 0; count++) {
      const job = takeNext(pool, type, taken[jobs.length]);
      start(pool, job, worker.workerId);
      job.isLimited = most + mostOfKey > 0;
      const { id, token, attempt, traceparent, policy, parametersJson } = job;
      const runTimeoutMs = policy?.runTimeoutMs ?? 0;
      jobs.push({ id, token, name, attempt, logOffset: 0, traceparent, runTimeoutMs, parametersJson });
    }
    if (count < wanted && mostOfKey === 0) clearLeftPlaces(pool, name);
  }
  return { jobs, more: jobs.length === limit, busy: [] };
}

/** A drain that stopped those jobs; places that are empty count, so that fewer than the limit may be stopped. */
export function drain(
  pool: ModelPool,
  name: string,
  limit: number,
  { stopped, more }: { stopped: ReadonlySet<string>; more: boolean },
): DrainReport {
  const count = waiting(pool, name).length;
  const leftPlaces = pool.leftPlaces.get(name) ?? 0;
  assert.ok(stopped.size <= limit, "drains no more than the limit");
  assert.ok(stopped.size >= Math.min(limit - leftPlaces, count), "drains up to the limit");
  for (const _ of stopped) {
    const job = nextOnes(waiting(pool, name)).find(({ id }) => stopped.has(id));
    assert.ok(job !== undefined, `drains the next ones first, not ${[...stopped]}`);
    finish(pool, job, "STOPPED");
    passOn(pool, job, "stop");
    job.leftPlace = job.mayComeEarly;
  }
  pool.leftPlaces.set(name, leftPlaces);
  if (!more) clearLeftPlaces(pool, name);
  const isMore = waiting(pool, name).length > 0 || (more && leftPlaces > 0);
  return { stopped: stopped.size, more: isMore };
}

/** The jobs of the type that wait. */
export function waiting(pool: ModelPool, name: string): ModelJob[] {
  return pool.inStatus("PENDING").filter((job) => job.name === name);
}

/** The jobs of the type that wait and that their key's limit lets run, were there slots for all. */
function allowed(pool: ModelPool, { name, mostOfKey }: ClaimableType): ModelJob[] {
  const jobs = waiting(pool, name);
  if (mostOfKey === 0) return jobs;
  const keys = Map.groupBy(jobs, ({ fairnessKey }) => fairnessKey);
  return [...keys].flatMap(([key, ofKey]) => {
    if (key === "") return ofKey;
    const running = limited(pool, name).filter((job) => job.fairnessKey === key).length;
    return running < mostOfKey ? ofKey : [];
  });
}

/** The jobs of the type that count for its limits. */
function limited(pool: ModelPool, name: string): ModelJob[] {
  return pool.inStatus("RUNNING").filter((job) => job.name === name && job.isLimited);
}

/** Those that may be next: of the highest priority, the first of each fairness key. */
function nextOnes(all: ModelJob[]): ModelJob[] {
  const highest = Math.max(...all.map(({ priority }) => priority));
  const lanes = Map.groupBy(
    all.filter(({ priority }) => priority === highest),
    ({ fairnessKey }) => fairnessKey,
  );
  return [...lanes.values()].flatMap((lane) => {
    const first = Math.min(...lane.filter((job) => !job.mayComeEarly).map(({ turn }) => turn));
    return lane.filter((job) => job.mayComeEarly || job.turn === first);
  });
}

function takeNext(pool: ModelPool, type: ClaimableType, id: string | undefined): ModelJob {
  const next = nextOnes(allowed(pool, type));
  const job = next.find((candidate) => candidate.id === id);
  assert.ok(job !== undefined, `${id} was claimed where ${next.map((one) => one.id)} come next`);
  return job;
}

function start(pool: ModelPool, job: ModelJob, workerId: string): void {
  job.token++;
  job.attempt++;
  Object.assign(job, { status: "RUNNING", startedAt: pool.now, workerId, expiresAt: 0 });
}

function room(pool: ModelPool, name: string, most: number): number {
  if (pool.paused.has(name)) return 0;
  if (most === 0) return Number.POSITIVE_INFINITY;
  return Math.max(0, most - limited(pool, name).length);
}

/** The queue was emptied: nobody has a second place in it any more. */
function clearLeftPlaces(pool: ModelPool, name: string): void {
  pool.leftPlaces.delete(name);
  for (const job of pool.jobs.values()) {
    if (job.name === name) Object.assign(job, { mayComeEarly: false, leftPlace: false });
  }
}
