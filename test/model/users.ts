import { type JobCommand, type Lease, type NewJob, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { isFinal } from "@drydock/job-controller/domain/job-state.ts";
import type { UpkeepReport } from "@drydock/job-controller/ports/job-pool.ts";
import { planOf } from "./schedules.ts";
import { finish, type ModelJob, type ModelPool, newModelJob, refuse, statusAfter } from "./state.ts";

/** Stores a job under that id, or gives the one that the same request launched before. */
export function launch(pool: ModelPool, id: string, job: NewJob, upstreamJobId = ""): ModelJob {
  const { options = usualOptions } = job;
  const before = pool.jobs.get(pool.requests.get(options.requestKey) ?? "");
  if (options.requestKey !== "" && before !== undefined) return before;
  keepUnique(pool, id, options.uniqueKey);
  const made = { ...newModelJob(id, pool.now, { ...job, options }), upstreamJobId };
  if (options.kind === "PERIODIC") {
    Object.assign(made, { status: "SCHEDULED", runAt: options.runAt, plan: planOf(options) });
  } else if (options.runAt > pool.now) Object.assign(made, { status: "SCHEDULED", runAt: options.runAt });
  else made.turn = pool.newBack();
  if (made.plan === undefined) waitForFirstRun(made, Math.max(pool.now, made.runAt));
  if (options.requestKey !== "") pool.requests.set(options.requestKey, id);
  pool.jobs.set(id, made);
  return made;
}

/** Stores a job for one that runs, once for each key while the job is kept. */
export function launchSubJob(
  pool: ModelPool,
  parentLease: Lease,
  key: string,
  child: { id: string; job: NewJob },
): ModelJob {
  const parent = pool.find(parentLease.jobId);
  if (parent.status !== "RUNNING" || parent.token !== parentLease.token) refuse("LEASE_LOST");
  const known = pool.jobs.get(pool.subJobs.get(`${parent.id} ${key}`) ?? "");
  if (known !== undefined && !isOfFormerLife(parent, known)) return known;
  const made = launch(pool, child.id, child.job, parent.id);
  pool.subJobs.set(`${parent.id} ${key}`, made.id);
  parent.executions.push(made.id);
  if (parent.command !== undefined) pool.ending.set(parent.id, parent.command);
  return made;
}

/** What ended without success before its parent was retried is launched anew. */
function isOfFormerLife({ retriedAt }: ModelJob, { status, endedAt }: ModelJob): boolean {
  return isFinal(status) && status !== "SUCCESS" && retriedAt > 0 && endedAt <= retriedAt;
}

/** Ends a waiting job; of a running one notes the command. What it launched is ended later. */
export function end(pool: ModelPool, id: string, command: JobCommand): ModelJob {
  const job = pool.find(id);
  const isOver = isFinal(job.status) && job.status !== statusAfter(command);
  if (isOver) refuse("JOB_STATUS_FORBIDS");
  endJob(pool, job, command);
  return job;
}

/** Passes stops and cancels on to the jobs that the ended jobs launched, and to what those launched. */
export function endSubJobs(pool: ModelPool): UpkeepReport {
  let count = 0;
  for (const [parentId, command] of pool.ending) {
    pool.ending.delete(parentId);
    const launched = pool.jobs.get(parentId)?.executions ?? [];
    for (const id of launched) {
      const job = pool.jobs.get(id);
      if (job !== undefined) endJob(pool, job, command);
    }
    count += launched.length + 1;
  }
  return { count, more: false };
}

/** A stop is stronger than a cancel. */
function endJob(pool: ModelPool, job: ModelJob, command: JobCommand): void {
  const isAsked = job.command === "stop" || job.command === command;
  if (isFinal(job.status) || isAsked) return;
  if (job.status === "RUNNING") Object.assign(job, { command, commandAt: pool.now });
  else finish(pool, job, statusAfter(command));
  if (job.plan !== undefined) job.plan.counts.paused = false;
  if (job.executions.length > 0) pool.ending.set(job.id, command);
}

/** Brings a job back; its attempts count anew. */
export function retry(pool: ModelPool, id: string): ModelJob {
  const job = pool.find(id);
  if (job.kind === "PERIODIC" || (job.status !== "CANCELLED" && job.status !== "ERROR")) refuse("JOB_STATUS_FORBIDS");
  keepUnique(pool, id, job.uniqueKey);
  job.token++;
  Object.assign(job, { status: "PENDING", attempt: 0, crashes: 0, startedAt: 0, endedAt: 0 });
  Object.assign(job, { checkIn: "", checkInAt: 0, progress: undefined });
  Object.assign(job, { turn: pool.newBack(), mayComeEarly: job.mayComeEarly || job.leftPlace });
  waitForFirstRun(job, pool.now);
  pool.ending.delete(id);
  if (job.executions.length > 0) job.retriedAt = pool.now;
  return job;
}

/** Only one job of a unique key lives. */
function keepUnique(pool: ModelPool, id: string, uniqueKey: string): void {
  if (uniqueKey === "") return;
  const alive = pool.inStatus("SCHEDULED", "PENDING", "RUNNING");
  const holder = alive.find((job) => job.uniqueKey === uniqueKey && job.id !== id);
  if (holder !== undefined) refuse("JOB_ALREADY_EXISTS", holder.id);
}

/** The wait counts from when the job could have run. */
function waitForFirstRun(job: ModelJob, from: number): void {
  const longest = job.policy?.queueTimeoutMs ?? 0;
  job.expiresAt = longest > 0 ? from + longest : 0;
}
