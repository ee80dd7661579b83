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
  /** The catch-up time: maximum age of a missed time that is still launched, in milliseconds; 0 launches none. */
  catchUpMs: number;
  /** By how much a launch may be put off, in milliseconds. */
  jitterMs: number;
  startAt: number;
  endAt: number;
}

/** What became of the times of a periodic job. */
export interface PeriodicCounts {
  paused: boolean;
  launched: number;
  missed: number;
  skipped: number;
  /** Whether a launch waits until the job before has ended. */
  waiting: boolean;
}

/** Gives the first time after the given one, 0 when none follows. */
export type NextTime = (after: number) => number;

/** The decision about the times that have come. */
export interface Settlement {
  /** When the job that is launched now is due; 0 launches none. */
  runAt: number;
  /** The next time; 0 ends the schedule. */
  nextAt: number;
  /** Times that were missed for good. */
  missed: number;
}

/** How far back to look for the latest time, one span after the other: a span holds few times if the one before holds none. */
const spansMs = [1_000, 60_000, 3_600_000, 24 * 3_600_000, 32 * 24 * 3_600_000, 367 * 24 * 3_600_000];

/** How late a time may be without counting as missed, in milliseconds; an idle controller looks every 5 s. */
const onTimeMs = 10_000;

/** Maximum number of missed times that are counted. */
const maxCounted = 1_000;

/**
 * Decides about the times from `dueAt` to `now`. At most one job is launched: for the latest time, if it is not missed or
 * is within the catch-up time. Times after the schedule's end do not count.
 */
export function settle(schedule: Schedule, dueAt: number, now: number, next: NextTime): Settlement {
  const nextAt = followingTime(schedule, now, next);
  const last = schedule.endAt > 0 ? Math.min(now, schedule.endAt) : now;
  if (dueAt > last) return { runAt: 0, nextAt, missed: 0 };
  const latest = latestTime(dueAt, last, next);
  const isMadeUpFor = now - latest <= Math.max(onTimeMs, schedule.catchUpMs);
  const count = countTimes(dueAt, last, next);
  return { runAt: isMadeUpFor ? latest : 0, nextAt, missed: isMadeUpFor ? count - 1 : count };
}

function countTimes(from: number, last: number, next: NextTime): number {
  let count = 1;
  for (let at = next(from); at > 0 && at <= last && count < maxCounted; at = next(at)) count++;
  return count;
}

/** The latest time up to `last`, looked for from there, since there may be millions from `dueAt` on. */
function latestTime(dueAt: number, last: number, next: NextTime): number {
  for (const span of spansMs) {
    let at = next(last - span);
    if (at === 0 || at > last) continue;
    for (let later = next(at); later > 0 && later <= last; later = next(at)) at = later;
    return Math.max(at, dueAt);
  }
  return dueAt;
}

/** The schedule's first time after the given one, 0 when none follows. */
export function followingTime({ startAt, endAt }: Schedule, after: number, next: NextTime): number {
  const at = next(Math.max(after, startAt - 1));
  return endAt > 0 && at > endAt ? 0 : at;
}
