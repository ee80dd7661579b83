import { Cron } from "croner";
import type { NextTime } from "../domain/schedule.ts";
import { cronFault } from "./cron-fault.ts";
import { changeSpanMs, readZoneClock } from "./zone-clock.ts";

/**
 * Reads a cron line of 5 or 6 fields or a word such as @daily. Where the zone's clock is changed,
 * - a line whose hours are all 24, as in `*`, follows real time: it has every moment at which the clock shows one of its
 *   times, so both when an hour comes twice;
 * - any other line has each of its times once: one that comes twice the first time; those that are left out together
 *   have one moment, that at which the clock has moved on.
 * @throws Error for a line of which cronFault tells what is wrong, and for an unknown zone
 */
export function readCron(cronSpec: string, timeZone: string): NextTime {
  const nextShown = readShownTimes(cronSpec);
  const followsRealTime = hasAllHours(cronSpec);
  const { aheadAt, changeIn } = readZoneClock(timeZone);

  /** The moment at which a clock that is `ahead` of UTC from `at` on shows the time. */
  const momentOf = (shown: number, ahead: number, at: number): number => {
    const moment = shown - ahead;
    // the clock may be changed before; up to a day before there is nothing
    return moment > at + changeSpanMs ? next(moment - changeSpanMs / 2) : moment;
  };
  const next: NextTime = (after) => {
    const ahead = aheadAt(after);
    const passed = followsRealTime ? after + ahead : latestShown(after);
    const shown = nextShown(passed);
    const change = changeIn(after, after + changeSpanMs);
    if (change === undefined || shown === 0 || shown - ahead < change.at) return shown && momentOf(shown, ahead, after);
    const resumesAt = change.at + change.after;
    if (!followsRealTime && shown < resumesAt) return change.at;
    const following = followsRealTime ? nextShown(resumesAt - 1) : shown;
    return following && momentOf(following, change.after, change.at);
  };
  /** The latest time that the clock has shown; it shows less after it was put back. */
  const latestShown = (at: number): number => {
    const change = changeIn(at - changeSpanMs, at);
    return Math.max(at + aheadAt(at), change === undefined ? 0 : change.at + change.before - 1);
  };
  return next;
}

/** The line's times in a calendar without changes, as if they were UTC. */
function readShownTimes(cronSpec: string): NextTime {
  const fault = cronFault(cronSpec);
  if (fault !== undefined) throw new Error(fault);
  const cron = new Cron(cronSpec, { paused: true, mode: "5-or-6-parts", timezone: "UTC" });
  return (after) => cron.nextRun(new Date(after))?.getTime() ?? 0;
}

function hasAllHours(cronSpec: string): boolean {
  const fields = cronSpec.trim().split(/\s+/);
  const isWord = fields.length === 1;
  if (isWord) return cronSpec.trim().toLowerCase() === "@hourly";
  const cron = new Cron(`0 0 ${fields.at(-4)} * * *`, { paused: true, timezone: "UTC" });
  return Array.from({ length: 24 }, (_, hour) => new Date(Date.UTC(2000, 0, 1, hour))).every((at) => cron.match(at));
}
