import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type { RunState } from "@drydock/job-controller/ports/checkpoint-store.ts";
import type { AppendedLog, LogPiece } from "@drydock/job-controller/ports/log-store.ts";
import { refuse } from "./refused.ts";
import type { ModelJob, ModelPool } from "./state.ts";
import { standing } from "./workers.ts";

/** Appends a piece of a log; the last lines of a run may come after its result. */
export function appendLog(pool: ModelPool, lease: HeldLease, offset: number, text: string): AppendedLog {
  const job = pool.find(lease.jobId);
  if (standing(pool, job, lease) === "stale") refuse("LEASE_LOST");
  const piece = Buffer.from(text);
  const known = job.log.length - offset;
  if (known >= 0 && known < piece.length) job.log = Buffer.concat([job.log, piece.subarray(known)]);
  return { length: job.log.length, full: false };
}

/** What is stored from the offset on, from the first whole character. */
export function readLog(pool: ModelPool, jobId: string, offset: number): LogPiece {
  const log = pool.jobs.get(jobId)?.log ?? Buffer.alloc(0);
  let from = Math.min(offset, log.length);
  while (((log[from] ?? 0) & 0xc0) === 0x80) from++;
  return { text: log.toString("utf8", from), nextOffset: Math.max(offset, log.length) };
}

/** Keeps how far a running job has come. */
export function saveCheckpoint(pool: ModelPool, lease: HeldLease, checkpoint: string): void {
  heldJob(pool, lease).checkpoint = checkpoint;
}

/** How far a running job has come, and how the jobs that it launched stand. */
export function readCheckpoint(pool: ModelPool, lease: HeldLease): RunState {
  const job = heldJob(pool, lease);
  const { executionTotals, enqueuedAt } = pool.show(job);
  return { checkpoint: job.checkpoint, executionTotals, enqueuedAt, now: pool.now };
}

/** Stores the report of a running job. */
export function putReport(pool: ModelPool, lease: HeldLease, digest: string, text: string): void {
  const job = heldJob(pool, lease);
  pool.reports.set(job.id, text);
  pool.newestReports.set(digest, job.id);
}

function heldJob(pool: ModelPool, lease: HeldLease): ModelJob {
  const job = pool.find(lease.jobId);
  if (standing(pool, job, lease) !== "held") refuse("LEASE_LOST");
  return job;
}
