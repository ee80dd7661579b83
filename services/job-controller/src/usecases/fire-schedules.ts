import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import type { Job } from "../domain/job.ts";
import { followingTime, settle } from "../domain/schedule.ts";
import { singletonKeyOf } from "../domain/unique-key.ts";
import type { DueSchedule, ScheduleStore } from "../ports/schedule-store.ts";
import { readCron } from "./cron.ts";

/** Delay before a periodic job that could not launch is tried again, in milliseconds. */
const againMs = 1_000;

/** What firing needs. */
export interface ScheduleDeps {
  schedules: ScheduleStore;
  clock: Clock;
  /** Whether only one job of the type may be alive. Default: of none. */
  isSingleton?: (name: string) => Promise<boolean>;
  /** Called for each periodic job that could not launch, with the cause. Default: not called. */
  onFault?: (jobId: string, cause: string) => void;
}

/** Launches the jobs of the periodic jobs that are due. */
export async function fireSchedules(deps: ScheduleDeps): Promise<{ more: boolean; nextDueAt: number }> {
  const { due, nextDueAt, more } = await deps.schedules.due();
  let next = nextDueAt;
  for (const one of due) {
    const nextAt = await fire(deps, one);
    if (nextAt > 0 && (next === 0 || nextAt < next)) next = nextAt;
  }
  return { more, nextDueAt: next };
}

/** Resolves to the next time of the periodic job, 0 when it has ended. A failure does not affect the others. */
async function fire({ schedules, clock, isSingleton, onFault }: ScheduleDeps, due: DueSchedule): Promise<number> {
  try {
    const cron = readCron(due.schedule.cronSpec, due.schedule.timeZone);
    const settlement = settle(due.schedule, due.dueAt, clock.now(), cron);
    const uniqueKey = (await isSingleton?.(due.name)) === true ? singletonKeyOf(due.name) : "";
    await schedules.fire(due, settlement, uniqueKey);
    return settlement.nextAt;
  } catch (error) {
    // a key that others always take first is this one's alone
    if (error instanceof ReasonedError && error.reason !== "JOB_ALREADY_EXISTS") throw error;
    onFault?.(due.jobId, toError(error).message);
    return clock.now() + againMs;
  }
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
