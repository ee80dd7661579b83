import type { Job } from "../domain/job.ts";
import { isFinal } from "../domain/job-state.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { LogPiece, LogStore } from "../ports/log-store.ts";
import type { JobChanges } from "./job-changes.ts";

/** How often to look for changes that other controllers made, in milliseconds. */
const lookMs = 500;

/** What watching needs. */
export interface WatchDeps {
  pool: JobPool;
  logs: LogStore;
  changes: JobChanges;
}

/** The job now and at each change; ends after the final one. */
export async function* watchJob(
  { pool, changes }: WatchDeps,
  { jobId, afterRevision }: { jobId: string; afterRevision: number },
  signal: AbortSignal,
): AsyncGenerator<Job> {
  let seen = afterRevision;
  for (;;) {
    const change = changes.next(jobId, lookMs, signal);
    change.catch(() => {});
    const job = await pool.get(jobId);
    if (job.revision > seen) {
      seen = job.revision;
      yield job;
    }
    if (isFinal(job.status)) return;
    await change;
  }
}

/** The job's log from the offset on; when following, until the job has ended. */
export async function* readLog(
  { pool, logs, changes }: WatchDeps,
  { jobId, offset, follow }: { jobId: string; offset: number; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<LogPiece> {
  let at = offset;
  for (;;) {
    const change = changes.next(jobId, lookMs, signal);
    change.catch(() => {});
    // in this order: a job's last lines are stored before it ends
    const job = await pool.get(jobId);
    let piece = await logs.read(jobId, at);
    while (piece.nextOffset > at) {
      signal.throwIfAborted();
      at = piece.nextOffset;
      yield piece;
      piece = await logs.read(jobId, at);
    }
    if (!follow || isFinal(job.status)) return;
    await change;
  }
}
