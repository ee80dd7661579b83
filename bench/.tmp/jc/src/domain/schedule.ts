/** What a periodic job does when a launch is due and the one before is still alive. */
export const overlapPolicies = ["SKIP", "QUEUE_ONE", "ALLOW"] as const;

/** What a periodic job does when a launch is due and the one before is still alive. */
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** When a periodic job launches. Times are milliseconds since 1970, 0 when they are not set. */
export interface Schedule {
  cronSpec: string;
  /** An IANA name. */
  timeZone: string;
  overlap: OverlapPolicy;
  /** How long ago a missed time may be to be made up for, in milliseconds. */
  catchUpMs: number;
  /** By how much a launch may be put off, in milliseconds. */
  jitterMs: number;
  startAt: number;
  endAt: number;
}

/** How a periodic job has done. */
export interface PeriodicCounts {
  paused: boolean;
  launched: number;
  missed: number;
  skipped: number;
}

/** How many of its jobs may be alive for another one to be launched; 0 is any number. */
export function mostAlive(overlap: OverlapPolicy): number {
  return { SKIP: 1, QUEUE_ONE: 2, ALLOW: 0 }[overlap];
}

/** Gives the first time after the given one, 0 when none follows. */
export type NextTime = (after: number) => number;

/** What is to be done about a time that has come. */
export interface Settlement {
  /** When the job that is launched now is due; 0 launches none. */
  runAt: number;
  /** The next time; 0 ends the schedule. */
  nextAt: number;
  /** Times that were missed for good. */
  missed: number;
}

/** How many missed times are counted one by one; a longer gap counts as so many. */
const mostCounted = 1_000;

/**
 * Settles the times from `dueAt` to `now`: however many there are, one job is launched, for the latest, if that is not
 * longer ago than the catch-up time.
 */
export function settle(schedule: Schedule, dueAt: number, now: number, next: NextTime): Settlement {
  let [latest, count] = [dueAt, 1];
  for (let at = next(latest); at > 0 && at <= now && count < mostCounted; at = next(at)) {
    latest = at;
    count++;
  }
  const isMadeUpFor = now - latest <= schedule.catchUpMs;
  return {
    runAt: isMadeUpFor ? latest : 0,
    nextAt: followingTime(schedule, now, next),
    missed: isMadeUpFor ? count - 1 : count,
  };
}

/** The schedule's first time after the given one, 0 when none follows. */
export function followingTime({ startAt, endAt }: Schedule, after: number, next: NextTime): number {
  const at = next(Math.max(after, startAt - 1));
  return endAt > 0 && at > endAt ? 0 : at;
}
