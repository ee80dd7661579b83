import type { Clock } from "@drydock/shared/clock.ts";
import type { Job } from "../domain/job.ts";
import { followingTime, settle } from "../domain/schedule.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import { readCron } from "./cron.ts";

/** What firing needs. */
export interface ScheduleDeps {
  schedules: ScheduleStore;
  clock: Clock;
}

/** Launches what the periodic jobs' times ask for. */
export async function fireSchedules({ schedules, clock }: ScheduleDeps): Promise<{ more: boolean; nextDueAt: number }> {
  const { due, nextDueAt, more } = await schedules.due();
  let next = nextDueAt;
  for (const one of due) {
    const cron = readCron(one.schedule.cronSpec, one.schedule.timeZone);
    const settlement = settle(one.schedule, one.dueAt, clock.now(), cron);
    await schedules.fire(one, settlement);
    if (settlement.nextAt > 0 && (next === 0 || settlement.nextAt < next)) next = settlement.nextAt;
  }
  return { more, nextDueAt: next };
}

/** The next times of a periodic job that has not ended and is not paused. */
export function nextTimes({ schedule, status, runAt }: Job, count: number): number[] {
  if (schedule === undefined || status !== "SCHEDULED" || runAt === 0) return [];
  const cron = readCron(schedule.cronSpec, schedule.timeZone);
  const times = [runAt];
  while (times.length < count) {
    const next = followingTime(schedule, times.at(-1) ?? 0, cron);
    if (next === 0) break;
    times.push(next);
  }
  return times;
}

/** Lets a paused periodic job go on with its next time; without one it ends. */
export async function resumeSchedule({ schedules, clock }: ScheduleDeps, { id, schedule }: Job): Promise<Job> {
  const next =
    schedule === undefined ? 0 : followingTime(schedule, clock.now(), readCron(schedule.cronSpec, schedule.timeZone));
  return schedules.resume(id, next);
}
