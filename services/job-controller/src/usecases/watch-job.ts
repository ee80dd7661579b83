import type { Job } from "../domain/job.ts";
import { isFinal } from "../domain/job-state.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { LogPiece, LogStore } from "../ports/log-store.ts";
import type { RecentCapacities, ShownJob } from "./recent-capacities.ts";
import { isNews, stateOf } from "./watched-job.ts";
import type { WatchedJobs } from "./watched-jobs.ts";

/** What watching needs. */
export interface WatchDeps {
  pool: Pick<JobPool, "get">;
  capacities: Pick<RecentCapacities, "show">;
  watched: WatchedJobs;
  logs: LogStore;
}

/** The job now, with its parameters, and at each change of it or of what it waits for, without; ends after the final one. */
export function watchJob(
  { pool, capacities, watched }: WatchDeps,
  { jobId, afterRevision }: { jobId: string; afterRevision: number },
  signal: AbortSignal,
): AsyncGenerator<ShownJob> {
  return watched.watch(jobId, signal, async function* (watch) {
    let [told, isFirst] = [{ revision: afterRevision, wait: "" }, true];
    for (let job = await watch.now(); ; job = await watch.next()) {
      if (isNews(job, told)) {
        if (isFirst) job = await capacities.show(await pool.get(jobId));
        [told, isFirst] = [stateOf(job), false];
        yield job;
      }
      if (isFinal(job.status)) return;
    }
  });
}

/** The job's log from the offset on; when following, until the job has ended. */
export function readLog(
  { watched, logs }: WatchDeps,
  { jobId, offset, follow }: { jobId: string; offset: number; follow: boolean },
  signal: AbortSignal,
): AsyncGenerator<LogPiece> {
  return watched.watch(jobId, signal, async function* (watch) {
    let at = offset;
    // in this order: a job's last lines are stored before it ends
    for (let job: Job = await watch.now(); ; job = await watch.next("look")) {
      let piece = await logs.read(jobId, at);
      while (piece.nextOffset > at) {
        signal.throwIfAborted();
        at = piece.nextOffset;
        yield piece;
        piece = await logs.read(jobId, at);
      }
      if (!follow || isFinal(job.status)) return;
    }
  });
}
