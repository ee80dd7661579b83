import { type JobMetadata, OverlapPolicy as OverlapCode } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { Duration } from "@drydock/shared/gen/google/protobuf/duration.ts";
import { type OverlapPolicy, overlapPolicies, type Schedule } from "../domain/schedule.ts";
import { readCron } from "../usecases/cron.ts";
import { cronFault } from "../usecases/cron-fault.ts";
import { overlapCodes } from "./convert-schedule.ts";
import { toMs } from "./time.ts";

const usualCatchUpMs = 60_000;
const maxCatchUpMs = 365 * 24 * 3_600_000;
const maxJitterMs = 3_600_000;
const maxCronLength = 128;
const latestTime = Date.parse("9999-12-31T23:59:59.999Z");

type Refuse = (path: string, description: string) => void;

/** Checks when a periodic job is to launch. */
export function toSchedule(metadata: JobMetadata, refuse: Refuse): Schedule | undefined {
  const { cronSpec, periodic, due } = metadata;
  const timeZone = metadata.timeZone === "" ? "UTC" : metadata.timeZone;
  if (due !== undefined) refuse("metadata.schedule_delay", "and run_at are for JOB_KIND_SCHEDULED only");
  const duration = (path: string, value: Duration | undefined, usual: number, most: number): number => {
    const ms = value === undefined ? usual : toMs(value);
    if (ms < 0 || ms > most) refuse(`metadata.periodic.${path}`, `must be from 0 to ${most / 1000} s`);
    return ms;
  };
  const time = (path: string, value: Date | undefined): number => {
    const at = value?.getTime() ?? 0;
    if (at >= 0 && at <= latestTime) return at;
    refuse(`metadata.periodic.${path}`, "must be from 1970 to 9999");
    return 0;
  };
  const schedule: Schedule = {
    cronSpec,
    timeZone,
    overlap: toOverlap(periodic?.overlap ?? OverlapCode.OVERLAP_POLICY_UNSPECIFIED, refuse),
    catchUpMs: duration("catch_up", periodic?.catchUp, usualCatchUpMs, maxCatchUpMs),
    jitterMs: duration("jitter", periodic?.jitter, 0, maxJitterMs),
    startAt: time("start_time", periodic?.startTime),
    endAt: time("end_time", periodic?.endTime),
  };
  if (periodic?.endTime !== undefined && !(schedule.endAt > Math.max(schedule.startAt, Date.now()))) {
    refuse("metadata.periodic.end_time", "must be ahead, and after start_time");
  }
  return checkCron(schedule, refuse) ? schedule : undefined;
}

function checkCron({ cronSpec, timeZone, startAt }: Schedule, refuse: Refuse): boolean {
  const hasZone = isTimeZone(timeZone);
  if (!hasZone) refuse("metadata.time_zone", "must be an IANA time zone such as Europe/Berlin");
  if (cronSpec === "" || cronSpec.length > maxCronLength) {
    const rule = `must be a cron line of at most ${maxCronLength} characters`;
    refuse("metadata.cron_spec", cronSpec === "" ? "is missing" : rule);
    return false;
  }
  const fault = cronFault(cronSpec);
  const zone = hasZone ? timeZone : "UTC";
  if (fault === undefined && readCron(cronSpec, zone)(Math.max(Date.now(), startAt)) > 0) return hasZone;
  refuse("metadata.cron_spec", fault ?? "never comes: must have a month with such a day");
  return false;
}

function isTimeZone(timeZone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone }) !== undefined;
  } catch {
    return false;
  }
}

function toOverlap(code: OverlapCode, refuse: Refuse): OverlapPolicy {
  if (code === OverlapCode.OVERLAP_POLICY_UNSPECIFIED) return "SKIP";
  const policy = overlapPolicies.find((word) => overlapCodes[word] === code);
  if (policy === undefined) refuse("metadata.periodic.overlap", "must be an OverlapPolicy");
  return policy ?? "SKIP";
}
