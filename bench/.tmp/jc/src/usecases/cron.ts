import { Cron } from "croner";
import type { NextTime } from "../domain/schedule.ts";

/**
 * Reads a cron line of 5 or 6 fields or a word such as @daily. A time that the clock leaves out in spring is taken when
 * the clock has moved on; one that comes twice in autumn is taken once, the first time.
 * @throws Error that says what is wrong with the line or the zone
 */
export function readCron(cronSpec: string, timeZone: string): NextTime {
  const cron = new Cron(cronSpec, { paused: true, mode: "5-or-6-parts", timezone: timeZone });
  return (after) => cron.nextRun(new Date(after))?.getTime() ?? 0;
}
