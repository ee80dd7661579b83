import type { Clock } from "@drydock/shared/clock.ts";
import type { JobStatus } from "../domain/job-state.ts";
import { hookPatienceMs } from "../domain/status-hook.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { runWhileMore } from "./run-while-more.ts";

/** How long ended jobs are kept, in milliseconds. */
export type KeepTimes = Record<"SUCCESS" | "STOPPED" | "CANCELLED" | "ERROR", number>;

/** What the sweeper needs. */
export interface SweeperDeps {
  pool: JobPool;
  keep: KeepTimes;
  clock: Clock;
}

/** Removes jobs past their keep time; resolves to the number of jobs examined. A job with a failed hook is kept as long as one in ERROR. */
export async function sweep({ pool, keep, clock }: SweeperDeps, signal: AbortSignal): Promise<number> {
  const hooksBefore = clock.now() - hookPatienceMs - keep.ERROR;
  const sweeps = Object.entries(keep).map(([status, keepMs]) => {
    const before = clock.now() - keepMs;
    return runWhileMore(() => pool.sweep(status as JobStatus, before, hooksBefore), signal);
  });
  return (await Promise.all(sweeps)).reduce((sum, count) => sum + count, 0);
}
