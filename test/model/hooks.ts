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
    if (job.hook === undefined || job.hook.told === job.status) continue;
    job.hook.told = job.status;
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
  hook.events.push(event);
  hook.dueAt ??= pool.now;
}

/** The jobs whose hooks may be told something now. */
export function dueHooks(pool: ModelPool): Array<{ job: ModelJob; hook: ModelHook; event: ModelEvent }> {
  return [...pool.jobs.values()].flatMap((job) => {
    const { hook } = job;
    const [event] = hook?.events ?? [];
    const isDue = hook?.dueAt !== undefined && hook.dueAt <= pool.now;
    return isDue && event !== undefined ? [{ job, hook, event }] : [];
  });
}

/** Somebody takes the delivery of the job's next event in hand. */
export function takeDelivery(pool: ModelPool, jobId: string): ModelDelivery {
  const due = dueHooks(pool).find(({ job }) => job.id === jobId);
  assert.ok(due !== undefined, `the hook of ${jobId} is told though it is not due`);
  const { hook, event } = due;
  hook.dueAt = pool.now + deliveryMs;
  return { jobId, event, leaseEndsAt: hook.dueAt };
}

/** Notes what came of a delivery; after its lease only that it was taken. */
export function settleDelivery(pool: ModelPool, delivery: ModelDelivery, settlement: HookSettlement): void {
  const { hook = refuse("NO_HOOK") } = pool.find(delivery.jobId);
  const isHeld = hook.dueAt === delivery.leaseEndsAt;
  if (settlement.kind !== "delivered" && !isHeld) return;
  if (settlement.kind === "retry") {
    hook.failures++;
    hook.dueAt = settlement.at;
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
  hook.failures = 0;
  if (hook.events.length === 0) Object.assign(hook, { dueAt: undefined, redeliveredAt: 0 });
  else if (isHeld) hook.dueAt = pool.now;
}

/** Makes the failed events due again, in their order with those that wait; a delivery under way is not cut short. */
export function redeliver(pool: ModelPool, jobId: string): number {
  const { hook } = pool.find(jobId);
  if (hook === undefined) return 0;
  const again = hook.failed.splice(0);
  hook.isGone = false;
  if (again.length === 0) return 0;
  hook.events = [...hook.events, ...again].sort((a, b) => a.number - b.number);
  Object.assign(hook, { failures: 0, redeliveredAt: pool.now });
  hook.dueAt = Math.min(hook.dueAt ?? pool.now, pool.now + deliveryMs);
  return again.length;
}
