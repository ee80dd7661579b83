import type { Job } from "../domain/job.ts";
import { isFinal } from "../domain/job-state.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { LogPiece, LogStore } from "../ports/log-store.ts";
import type { JobChanges } from "./job-changes.ts";
import type { RecentCapacities, ShownJob } from "./recent-capacities.ts";

/** How often to look for changes that other controllers made, in milliseconds. */
const lookMs = 500;

/** What watching needs. */
export interface WatchDeps {
  pool: Pick<JobPool, "get">;
  capacities: Pick<RecentCapacities, "show">;
  peeks: JobPeeks;
  logs: LogStore;
  changes: JobChanges;
}

/** Reads a job without its parameters, once for all who ask in one turn of the event loop: all of its watchers do. */
export class JobPeeks {
  readonly #pool: Pick<JobPool, "peek">;
  readonly #reading = new Map<string, Promise<Job>>();

  constructor(pool: Pick<JobPool, "peek">) {
    this.#pool = pool;
  }

  /** The job after every change that was notified before this turn. */
  peek(jobId: string): Promise<Job> {
    const known = this.#reading.get(jobId);
    if (known !== undefined) return known;
    const reading = this.#pool.peek(jobId);
    this.#reading.set(jobId, reading);
    setImmediate(() => this.#reading.delete(jobId));
    return reading;
  }
}

/** The job now, with its parameters, and at each change of it or of what it waits for, without; ends after the final one. */
export async function* watchJob(
  { pool, capacities, peeks, changes }: WatchDeps,
  { jobId, afterRevision }: { jobId: string; afterRevision: number },
  signal: AbortSignal,
): AsyncGenerator<ShownJob> {
  let [seen, wait, isFirst] = [afterRevision, "", true];
  for (;;) {
    const change = changes.next(jobId, lookMs, signal);
    change.catch(() => {});
    let job = await capacities.show(await peeks.peek(jobId));
    if (job.revision > seen || waitTextOf(job) !== wait) {
      if (isFirst) job = await capacities.show(await pool.get(jobId));
      [seen, wait, isFirst] = [job.revision, waitTextOf(job), false];
      yield job;
    }
    if (isFinal(job.status)) return;
    await change;
  }
}

/** Equal for equal waits. */
function waitTextOf({ waitingFor }: ShownJob): string {
  return waitingFor === undefined ? "" : `${waitingFor.since ?? ""} ${waitingFor.message}`;
}

/** The job's log from the offset on; when following, until the job has ended. */
export async function* readLog(
  { peeks, logs, changes }: WatchDeps,
  { jobId, offset, follow }: { jobId: string; offset: number; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<LogPiece> {
  let at = offset;
  for (;;) {
    const change = changes.next(jobId, lookMs, signal);
    change.catch(() => {});
    // in this order: a job's last lines are stored before it ends
    const job = await peeks.peek(jobId);
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
