import type { JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import type { PromoteReport, UpkeepReport } from "@drydock/job-controller/ports/job-pool.ts";
import { loseAll } from "./returns.ts";
import { finish, type ModelPool } from "./state.ts";

/** Due jobs wait in their queues, the longest due first. */
export function promote(pool: ModelPool): PromoteReport {
  const scheduled = pool.inStatus("SCHEDULED").filter(({ kind }) => kind !== "PERIODIC");
  const due = scheduled.filter(({ runAt }) => runAt <= pool.now).sort((a, b) => a.runAt - b.runAt);
  const later = scheduled.map(({ runAt }) => runAt).filter((runAt) => runAt > pool.now);
  let [turn, at] = [0, -1];
  for (const job of due) {
    if (job.runAt !== at) [turn, at] = [pool.newBack(), job.runAt];
    Object.assign(job, { status: "PENDING", runAt: 0, turn });
  }
  return { count: due.length, more: false, nextDueAt: later.length === 0 ? 0 : Math.min(...later) };
}

/** The jobs of workers whose lease has ended are taken back. */
export function reap(pool: ModelPool): UpkeepReport {
  const turn = pool.newFront();
  let count = 0;
  for (const [workerId, { leaseEndsAt }] of pool.workers) {
    if (leaseEndsAt > pool.now) continue;
    count += Math.max(1, loseAll(pool, workerId, turn));
    pool.workers.delete(workerId);
  }
  return { count, more: false };
}

/** Jobs that waited too long for their first run are in ERROR. */
export function expire(pool: ModelPool): UpkeepReport {
  const late = [...pool.jobs.values()].filter(({ expiresAt }) => expiresAt > 0 && expiresAt <= pool.now);
  for (const job of late) {
    job.lastError = { reason: "QUEUE_TIMEOUT", message: "", attempt: job.attempt, at: pool.now };
    finish(pool, job, "ERROR");
  }
  return { count: late.length, more: false };
}

/** When a sweep looks again at what it left for later, in milliseconds. */
const roundMs = 3_600_000;

/**
 * Jobs that ended before that time are gone, but those that are a request's answer (no run takes a day), and those whose
 * hook is still to be told something. Behind what stays the next sweep goes on.
 */
export function sweep(pool: ModelPool, status: JobStatus, before: number): void {
  const answers = new Set(pool.requests.values());
  const known = pool.swept.get(status);
  const { behind, began } = known && pool.now < known.began + roundMs ? known : { behind: 0, began: pool.now };
  const ended = pool.inStatus(status).sort((a, b) => a.endedAs - b.endedAs);
  const old = ended.filter(({ keptFrom, endedAs }) => keptFrom < before && endedAs > behind);
  for (const job of old) {
    if (answers.has(job.id) || (job.hook?.events.length ?? 0) > 0) {
      pool.swept.set(status, { behind: job.endedAs, began });
      continue;
    }
    pool.jobs.delete(job.id);
    pool.gone.push(job);
    const parent = pool.jobs.get(job.upstreamJobId);
    if (parent !== undefined) parent.executions = parent.executions.filter((id) => id !== job.id);
    pool.ending.delete(job.id);
  }
}

/** Whether that changed something. */
export function pause(pool: ModelPool, name: string, pauses: boolean): boolean {
  const was = pool.paused.has(name);
  if (pauses) pool.paused.add(name);
  else pool.paused.delete(name);
  return was !== pauses;
}
