import type { LaunchOptions } from "@drydock/job-controller/domain/job.ts";
import { refuse } from "./refused.ts";
import {
  aliveOf,
  finish,
  launchExecution,
  leaveOutWaiting,
  type ModelJob,
  type ModelPlan,
  type ModelPool,
} from "./state.ts";

/** How far apart the times of every periodic job of the model are. */
export const periodMs = 2_000;
/** The same as a cron line. */
export const cronSpec = "*/2 * * * * *";

/** The first time after the given one. */
export function timeAfter(at: number): number {
  return (Math.floor(at / periodMs) + 1) * periodMs;
}

/** The plan of a periodic job that was launched with these options. */
export function planOf({ runAt, schedule }: LaunchOptions): ModelPlan | undefined {
  if (schedule === undefined) return undefined;
  const { overlap, catchUpMs, endAt } = schedule;
  const counts = { paused: false, launched: 0, missed: 0, skipped: 0, waiting: false };
  return { nextAt: runAt, overlap, catchUpMs, endAt, counts, waitingId: "", waitingFor: 0 };
}

/** Lets every periodic job whose time has come launch its job, or wait, with the id that `idOf` gives. */
export function fire(pool: ModelPool, idOf: (parent: ModelJob) => string): void {
  for (const job of pool.periodic) {
    if (job.plan === undefined || job.plan.nextAt === 0 || job.plan.nextAt > pool.now) continue;
    settle(pool, job, job.plan, idOf(job));
  }
}

/** The times that have come are settled by at most one launch, for the latest of them. */
function settle(pool: ModelPool, job: ModelJob, plan: ModelPlan, id: string): void {
  const times = timesOf(plan, pool.now);
  const latest = times.at(-1) ?? Number.NEGATIVE_INFINITY;
  const isMissed = pool.now > latest + 10_000;
  const isMadeUpFor = !isMissed || pool.now <= latest + plan.catchUpMs;
  plan.counts.missed += times.length - (isMadeUpFor ? 1 : 0);
  if (isMadeUpFor) launchDue(pool, job, plan, { id, at: latest });
  const next = timeAfter(pool.now);
  plan.nextAt = plan.endAt > 0 && next > plan.endAt ? 0 : next;
  job.runAt = plan.nextAt;
  if (plan.nextAt === 0 && !plan.counts.waiting) finish(pool, job, "STOPPED");
}

function timesOf({ nextAt, endAt }: ModelPlan, now: number): number[] {
  const times: number[] = [];
  for (let at = nextAt; at <= now && (endAt === 0 || at <= endAt); at += periodMs) times.push(at);
  return times;
}

/** At a time that is due: another job is launched, waits, or is left out. */
function launchDue(pool: ModelPool, job: ModelJob, plan: ModelPlan, { id, at }: { id: string; at: number }): void {
  const isFree = aliveOf(pool, job).length === 0;
  if (isFree || plan.overlap === "ALLOW") {
    launchExecution(pool, job, id, at);
  } else if (plan.overlap === "SKIP" || plan.counts.waiting) {
    plan.counts.skipped++;
  } else {
    plan.counts.waiting = true;
    plan.waitingId = id;
    plan.waitingFor = at;
  }
}

/** Lets a periodic job launch nothing. */
export function pause(pool: ModelPool, id: string): ModelJob {
  const { job, plan } = livePlan(pool, id);
  plan.nextAt = 0;
  plan.counts.paused = true;
  leaveOutWaiting(plan);
  job.runAt = 0;
  return job;
}

/** Lets a paused periodic job go on with its next time, or end when there is none. */
export function resume(pool: ModelPool, id: string): ModelJob {
  const { job, plan } = livePlan(pool, id);
  if (!plan.counts.paused) return job;
  const next = timeAfter(pool.now);
  plan.counts.paused = false;
  plan.nextAt = plan.endAt > 0 && next > plan.endAt ? 0 : next;
  if (plan.nextAt === 0) finish(pool, job, "STOPPED");
  else job.runAt = plan.nextAt;
  return job;
}

function livePlan(pool: ModelPool, id: string): { job: ModelJob; plan: ModelPlan } {
  const job = pool.find(id);
  if (job.plan === undefined || job.status !== "SCHEDULED") refuse("JOB_STATUS_FORBIDS");
  return { job, plan: job.plan };
}
