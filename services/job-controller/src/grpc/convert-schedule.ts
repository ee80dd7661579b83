import { OverlapPolicy as OverlapCode, type PeriodicState } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { Job } from "../domain/job.ts";
import type { OverlapPolicy } from "../domain/schedule.ts";
import { nextTimes } from "../usecases/fire-schedules.ts";
import { toDate, toDuration } from "./time.ts";

const shownTimes = 3;

/** The number of each policy in the contract. */
export const overlapCodes = {
  SKIP: OverlapCode.OVERLAP_POLICY_SKIP,
  QUEUE_ONE: OverlapCode.OVERLAP_POLICY_QUEUE_ONE,
  ALLOW: OverlapCode.OVERLAP_POLICY_ALLOW,
} as const satisfies Record<OverlapPolicy, OverlapCode>;

/** How a periodic job stands, as clients see it; undefined for other jobs. */
export function toPeriodicState(job: Job): PeriodicState | undefined {
  const { schedule, periodicCounts } = job;
  if (schedule === undefined) return undefined;
  const { timeZone, overlap, catchUpMs, jitterMs, startAt, endAt } = schedule;
  return {
    timeZone,
    policy: {
      overlap: overlapCodes[overlap],
      catchUp: toDuration(catchUpMs),
      jitter: toDuration(jitterMs),
      startTime: toDate(startAt),
      endTime: toDate(endAt),
    },
    nextTimes: nextTimes(job, shownTimes).map((at) => new Date(at)),
    paused: periodicCounts?.paused ?? false,
    launched: periodicCounts?.launched ?? 0,
    missed: periodicCounts?.missed ?? 0,
    skipped: periodicCounts?.skipped ?? 0,
    waiting: periodicCounts?.waiting ?? false,
  };
}
