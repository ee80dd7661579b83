import assert from "node:assert/strict";
import type { HookSettlement } from "@drydock/job-controller/ports/hook-outbox.ts";
import type { ModelEvent, ModelHook } from "./hook-state.ts";
import { refuse } from "./refused.ts";
import type { ModelJob, ModelPool } from "./state.ts";

/** How long a delivery is nobody else's, in milliseconds. */
const deliveryMs = 20_000;

/** A delivery that somebody has in hand. */
export interface ModelDelivery {
  jobId: string;
  event: ModelEvent;
  leaseEndsAt: number;
}

/** After a command every job whose status it changed has that to tell, once. */
export function tellChanges(pool: ModelPool): void {
  for (const job of pool.jobs.values()) {
    if (job.hook === undefined || job.hook.lastStatus === job.status) continue;
    job.hook.lastStatus = job.status;
    tell(pool, job, job.hook, false);
  }
}

/** A check-in is told, too; it takes the place of one that waits last and is not next. */
export function tellCheckIn(pool: ModelPool, job: ModelJob): void {
  if (job.hook !== undefined) tell(pool, job, job.hook, true);
}

function tell(pool: ModelPool, job: ModelJob, hook: ModelHook, isCheckIn: boolean): void {
  const event = { number: ++hook.count, status: job.status, checkIn: job.checkIn, at: pool.now, isCheckIn };
  if (hook.isGone) {
    hook.failed.push(event);
    return;
  }
  if (isCheckIn && hook.events.length > 1 && hook.events.at(-1)?.isCheckIn) hook.events.pop();
  if (hook.events.length === 0) hook.due = { from: pool.now, by: pool.now };
  hook.events.push(event);
}

/** The jobs whose hooks must be told something now, though not all at once: those of hosts with no delivery under way. */
export function overdueHooks(pool: ModelPool): ModelJob[] {
  // a controller whose clock is behind does not see yet what is due
  if (pool.now < pool.latest) return [];
  const jobs = [...pool.jobs.values()].filter(({ hook }) => hook !== undefined && hook.events.length > 0);
  const isUnderWay = ({ hook }: ModelJob) => hook !== undefined && hook.leaseEndsAt > pool.now;
  const busy = new Set(jobs.filter(isUnderWay).map(({ statusHook }) => statusHook));
  return jobs.filter(({ hook, statusHook }) => !busy.has(statusHook) && hook !== undefined && hook.due.by <= pool.now);
}

/** Somebody takes the delivery of the job's next event in hand. */
export function takeDelivery(pool: ModelPool, jobId: string): ModelDelivery {
  const { hook } = pool.find(jobId);
  const [event] = hook?.events ?? [];
  assert.ok(hook !== undefined && event !== undefined, `the hook of ${jobId} is told, and has no event`);
  assert.ok(hook.leaseEndsAt <= pool.now, `the hook of ${jobId} is told by two at once`);
  assert.ok(hook.due.from <= pool.now, `the hook of ${jobId} is told though it is not due`);
  hook.leaseEndsAt = pool.now + deliveryMs;
  hook.due = { from: hook.leaseEndsAt, by: hook.leaseEndsAt };
  return { jobId, event, leaseEndsAt: hook.leaseEndsAt };
}

/** Notes what came of a delivery; after its lease only that it was taken. */
export function settleDelivery(pool: ModelPool, delivery: ModelDelivery, settlement: HookSettlement): void {
  const { hook = refuse("NO_HOOK") } = pool.find(delivery.jobId);
  const isHeld = hook.leaseEndsAt === delivery.leaseEndsAt;
  if (settlement.kind !== "delivered" && !isHeld) return;
  if (settlement.kind === "retry") {
    hook.failures = hook.failures.map((count) => count + 1);
    Object.assign(hook, { leaseEndsAt: 0, due: { from: settlement.at, by: settlement.at } });
    return;
  }
  const others = (events: ModelEvent[]) => events.filter(({ number }) => number !== delivery.event.number);
  const waited = others(hook.events).length < hook.events.length;
  hook.events = others(hook.events);
  if (settlement.kind === "delivered" && !waited) hook.failed = others(hook.failed);
  if (settlement.kind !== "delivered" && waited) hook.failed.push(delivery.event);
  if (settlement.kind === "gone") {
    hook.isGone = true;
    hook.failed.push(...hook.events.splice(0));
  }
  hook.failures = [0];
  if (hook.events.length === 0) Object.assign(hook, { leaseEndsAt: 0, redeliveredAt: [0] });
  else if (isHeld) Object.assign(hook, { leaseEndsAt: 0, due: { from: pool.now, by: pool.now } });
}

/**
 * Makes the failed events due again, in their order with those that wait. A delivery under way is not cut short; a wait for
 * the next try may be.
 */
export function redeliver(pool: ModelPool, jobId: string): number {
  const { hook } = pool.find(jobId);
  if (hook === undefined) return 0;
  const again = hook.failed.splice(0);
  const waited = hook.events.length > 0;
  hook.isGone = false;
  hook.events = [...hook.events, ...again].sort((a, b) => a.number - b.number);
  if (again.length > 0) Object.assign(hook, { failures: [0], redeliveredAt: [pool.now] });
  else if (hook.failures.some((count) => count > 0)) {
    hook.failures = [0, ...hook.failures];
    hook.redeliveredAt = [pool.now, ...hook.redeliveredAt];
  }
  if (hook.leaseEndsAt === 0) {
    const { from, by } = hook.due;
    hook.due = waited ? { from: Math.min(from, pool.now), by } : { from: pool.now, by: pool.now };
  }
  return again.length;
}
