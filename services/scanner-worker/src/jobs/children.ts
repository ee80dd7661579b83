import type { Clock } from "@drydock/shared/clock.ts";
import { JobPostponed } from "../domain/job-postponed.ts";
import type { JobContext, RunState } from "../ports/job.ts";

/** How the jobs stand that a job launched. */
export interface ChildTotals {
  total: number;
  /** Those that have not ended. */
  alive: number;
  succeeded: number;
  /** Those in ERROR. */
  failed: number;
  stopped: number;
  cancelled: number;
}

/** Jobs that count no more: they ended so before RetryJob brought their parent back. */
export type FormerTotals = Pick<ChildTotals, "failed" | "cancelled">;

/** As many jobs of one parent may be alive before it launches more. */
export const maxAlive = 5_000;

const shortestWaitMs = 2_000;
const longestWaitMs = 30_000;
/** Ended jobs from which on an estimate is worth something. */
const enoughEnded = 5;

/** How the jobs of the run stand, but for those that count no more. */
export function totalsOf({ subJobs }: RunState, former: FormerTotals = { failed: 0, cancelled: 0 }): ChildTotals {
  const { SCHEDULED = 0, PENDING = 0, RUNNING = 0, SUCCESS = 0, ERROR = 0, STOPPED = 0, CANCELLED = 0 } = subJobs;
  const alive = SCHEDULED + PENDING + RUNNING;
  const failed = Math.max(0, ERROR - former.failed);
  const cancelled = Math.max(0, CANCELLED - former.cancelled);
  const total = alive + SUCCESS + failed + STOPPED + cancelled;
  return { total, alive, succeeded: SUCCESS, failed, stopped: STOPPED, cancelled };
}

/** How jobs have ended, in words. */
export function endsOf({ total, succeeded, failed, stopped, cancelled }: ChildTotals): string[] {
  return [
    `${succeeded} done`,
    failed === 0 ? "0 failed" : `${failed} of ${total} failed`,
    ...(stopped > 0 ? [`${stopped} stopped`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
  ];
}

/** How a parent tells of itself. */
export interface Waiting {
  context: JobContext;
  clock: Clock;
  /** Default: none. */
  former?: FormerTotals;
  /** Its check-in; `rest` says how many jobs are alive and when they may have ended, if that can be said. */
  textOf(totals: ChildTotals, rest: string): string;
}

/**
 * Resolves when no job of the parent is alive. Until then it gives the slot away: the parent is run again, and comes here again.
 * @throws JobPostponed while a job is alive
 */
export async function waitForChildren(waiting: Waiting): Promise<ChildTotals> {
  const state = await waiting.context.runState();
  const totals = totalsOf(state, waiting.former);
  if (totals.alive === 0) return totals;
  throw postponed(waiting, state);
}

/**
 * Resolves when the parent may launch more.
 * @throws JobPostponed while too many jobs are alive
 */
export async function waitForRoom(waiting: Waiting): Promise<void> {
  const state = await waiting.context.runState();
  if (totalsOf(state).alive > maxAlive) throw postponed(waiting, state);
}

function postponed({ context, clock, former, textOf }: Waiting, state: RunState): JobPostponed {
  const totals = totalsOf(state, former);
  const elapsedMs = Math.max(0, clock.now() - state.launchedAt.getTime());
  const remainingMs = estimateMs(totals, elapsedMs);
  const estimate = remainingMs === undefined ? "" : `, about ${durationOf(remainingMs)} left`;
  const text = textOf(totals, `${totals.alive} to go${estimate}`);
  const percent = 10 + Math.floor((90 * (totals.total - totals.alive)) / totals.total);
  context.checkin(text, { phase: "wait", percent });
  return new JobPostponed(text, waitMs(elapsedMs, remainingMs));
}

/** The jobs that have ended took so long from the launch of their parent on: the others go at the same pace. */
function estimateMs({ total, alive }: ChildTotals, elapsedMs: number): number | undefined {
  const ended = total - alive;
  return ended < enoughEnded ? undefined : (alive * elapsedMs) / ended;
}

/** Longer as time goes on, and no longer than to the estimated end. */
function waitMs(elapsedMs: number, remainingMs = longestWaitMs): number {
  const wait = Math.min(Math.max(elapsedMs / 10, shortestWaitMs), longestWaitMs);
  return Math.max(Math.min(wait, remainingMs), shortestWaitMs / 2);
}

function durationOf(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
