import type { LaunchOptions } from "@drydock/job-controller/domain/job.ts";
import { finish, type ModelJob, type ModelPlan, type ModelPool, newModelJob, refuse } from "./state.ts";

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
  return { nextAt: runAt, overlap, catchUpMs, endAt, counts: { paused: false, launched: 0, missed: 0, skipped: 0 } };
}

/** Lets every periodic job whose time has come launch its job, which has the id that `idOf` gives. */
export function fire(pool: ModelPool, idOf: (parent: ModelJob) => string): void {
  const turn = pool.newBack();
  for (const job of pool.periodic) {
    if (job.plan === undefined || job.plan.nextAt === 0 || job.plan.nextAt > pool.now) continue;
    settle(pool, job, job.plan, () => launchExecution(pool, job, { id: idOf(job), turn }));
  }
}

/** The times that have come are settled by at most one launch, for the latest of them. */
function settle(pool: ModelPool, job: ModelJob, plan: ModelPlan, launch: () => void): void {
  const times = timesOf(plan, pool.now);
  const latest = times.at(-1) ?? Number.NEGATIVE_INFINITY;
  const isMissed = pool.now > latest + 10_000;
  const isMadeUpFor = !isMissed || pool.now <= latest + plan.catchUpMs;
  plan.counts.missed += times.length - (isMadeUpFor ? 1 : 0);
  if (isMadeUpFor && isInTheWay(pool, job, plan)) {
    plan.counts.skipped++;
  } else if (isMadeUpFor) {
    launch();
    plan.counts.launched++;
  }
  const next = timeAfter(pool.now);
  plan.nextAt = plan.endAt > 0 && next > plan.endAt ? 0 : next;
  if (plan.nextAt === 0) finish(pool, job, "STOPPED");
  else job.runAt = plan.nextAt;
}

function timesOf({ nextAt, endAt }: ModelPlan, now: number): number[] {
  const times: number[] = [];
  for (let at = nextAt; at <= now && (endAt === 0 || at <= endAt); at += periodMs) times.push(at);
  return times;
}

function isInTheWay(pool: ModelPool, { id }: ModelJob, { overlap }: ModelPlan): boolean {
  const alive = pool.inStatus("SCHEDULED", "PENDING", "RUNNING").filter(({ upstreamJobId }) => upstreamJobId === id);
  return { SKIP: alive.length > 0, QUEUE_ONE: alive.length > 1, ALLOW: false }[overlap];
}

function launchExecution(pool: ModelPool, parent: ModelJob, { id, turn }: { id: string; turn: number }): void {
  const { name, priority, fairnessKey, policy, labels, traceparent, parametersJson } = parent;
  const options = { kind: "SCHEDULED", priority, fairnessKey, policy, labels, uniqueKey: "" } as const;
  const job = { name, traceparent, parametersJson, options: { ...options, ...noneOfTheRest } };
  const made = { ...newModelJob(id, pool.now, job), upstreamJobId: parent.id, turn };
  const longest = policy?.queueTimeoutMs ?? 0;
  made.expiresAt = longest > 0 ? pool.now + longest : 0;
  pool.jobs.set(id, made);
  parent.executions.push(id);
}

const noneOfTheRest = { runAt: 0, requestKey: "", schedule: undefined, statusHook: "" };

/** Lets a periodic job launch nothing. */
export function pause(pool: ModelPool, id: string): ModelJob {
  const { job, plan } = livePlan(pool, id);
  plan.nextAt = 0;
  plan.counts.paused = true;
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
