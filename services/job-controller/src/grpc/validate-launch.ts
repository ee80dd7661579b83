import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import {
  type JobMetadata,
  JobRequest,
  JobKind as KindCode,
  type JobPolicy as PolicyMessage,
} from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { LaunchSubJobRequest } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { Duration } from "@drydock/shared/gen/google/protobuf/duration.ts";
import { type JobKind, type JobPolicy, priorities } from "../domain/job.ts";
import { jobNamePattern, jobNameRule } from "../domain/job-type.ts";
import type { Schedule } from "../domain/schedule.ts";
import { toMs } from "./time.ts";
import { toSchedule } from "./validate-schedule.ts";

const tenYearsMs = 10 * 365 * 24 * 3_600_000;
const maxAttempts = 100;
const maxLabels = 16;
const maxHookLength = 2_048;
const maxKeyLength = 256;
const fairnessPattern = /^[A-Za-z0-9._:/@-]{0,64}$/;
const labelPattern = /^[a-z0-9._/-]{1,63}$/;
const reasonPattern = /^[A-Z][A-Z0-9_]{0,63}$/;
/** Text without control characters. */
const printable = /^[^\p{Cc}]*$/u;

/** A launch that keeps the rules. */
export interface ValidLaunch {
  name: string;
  parameters: Record<string, unknown>;
  kind: JobKind;
  priority: number;
  fairnessKey: string;
  policy: JobPolicy | undefined;
  labels: Record<string, string>;
  /** After the launch, in milliseconds. */
  delayMs: number;
  /** Milliseconds since 1970; 0 when unset. */
  runAt: number;
  isUnique: boolean;
  uniqueKey: string;
  /** Of a periodic job. */
  schedule: Schedule | undefined;
  /** An http or https URL, or empty. */
  statusHook: string;
}

/** The launch of a sub-job that keeps the rules. */
export interface ValidSubJob extends Omit<ValidLaunch, "schedule" | "fairnessKey" | "statusHook" | "runAt"> {
  /** Distinguishes the jobs that one job launches. */
  key: string;
}

/**
 * Checks a launch; its parameters are checked later, by the schema of its type.
 * @param field how the caller names the job in its request; empty when the request is the job
 */
export function validateLaunch(job: JobRequest | undefined, field = "job"): ValidLaunch {
  if (job === undefined) throw fieldsInvalid([{ field, description: "is missing" }]);
  const { launch, refused } = toLaunch(job, field);
  if (refused.length > 0) throw fieldsInvalid(refused);
  return launch;
}

/**
 * Checks the launch of a sub-job.
 * @param field how the caller names the job in its request; empty when the request is the job
 */
export function validateSubJob(request: LaunchSubJobRequest, field = ""): ValidSubJob {
  const { key, name, parameters, priority, isUnique, uniqueKey, policy, labels, scheduleDelay } = request;
  const violations: FieldViolation[] = [];
  if (key.length === 0 || key.length > maxKeyLength) {
    violations.push({ field: pathOf(field, "key"), description: `must be of 1 to ${maxKeyLength} characters` });
  }
  const due = scheduleDelay && { $case: "scheduleDelay" as const, value: scheduleDelay };
  const kind = due === undefined ? KindCode.JOB_KIND_GENERIC : KindCode.JOB_KIND_SCHEDULED;
  const job = { name, parameters, priority, uniqueKey, labels, metadata: { kind, isUnique, ...(due && { due }) } };
  const { launch, refused } = toLaunch(JobRequest.fromPartial({ ...job, ...(policy && { policy }) }), field);
  // what a job has in its metadata is the sub-job's own
  const own = (text: string) => text.replace("metadata.", "");
  violations.push(...refused.map(({ field, description }) => ({ field: own(field), description: own(description) })));
  if (violations.length > 0) throw fieldsInvalid(violations);
  const { schedule, fairnessKey, statusHook, runAt, ...rest } = launch;
  return { ...rest, key };
}

/** @returns the launch, to be used when nothing is refused */
function toLaunch(job: JobRequest, field: string): { launch: ValidLaunch; refused: FieldViolation[] } {
  const refused: FieldViolation[] = [];
  const refuse = (path: string, description: string) => refused.push({ field: pathOf(field, path), description });
  if (!jobNamePattern.test(job.name)) refuse("name", job.name === "" ? "is missing" : jobNameRule);
  if (!Number.isInteger(job.priority) || job.priority < 0 || job.priority > 9) {
    refuse("priority", "must be from 1 to 9, or left out");
  }
  if (!fairnessPattern.test(job.fairnessKey)) {
    refuse("fairness_key", "must be at most 64 of A-Z, a-z, 0-9 and ._:/@-");
  }
  const launch = {
    name: job.name,
    parameters: job.parameters ?? {},
    priority: job.priority === 0 ? priorities.usual : job.priority,
    fairnessKey: job.fairnessKey,
    labels: job.labels,
    statusHook: toStatusHook(job.statusHook, refuse),
    policy: job.policy && toPolicy(job.policy, refuse),
    ...toTiming(job.metadata, refuse),
    ...toUnique(job, refuse),
  };
  checkLabels(job.labels, refuse);
  return { launch, refused };
}

function pathOf(field: string, own: string): string {
  return field === "" ? own : `${field}.${own}`;
}

export type Refuse = (path: string, description: string) => void;

function toTiming(
  metadata: JobMetadata | undefined,
  refuse: Refuse,
): Pick<ValidLaunch, "kind" | "delayMs" | "runAt" | "schedule"> {
  const { kind = KindCode.JOB_KIND_UNSPECIFIED, due } = metadata ?? {};
  if (kind === KindCode.JOB_KIND_PERIODIC && metadata !== undefined) {
    return { kind: "PERIODIC", delayMs: 0, runAt: 0, schedule: toSchedule(metadata, refuse) };
  }
  if (metadata?.cronSpec || metadata?.timeZone || metadata?.periodic !== undefined) {
    refuse("metadata.kind", "must be JOB_KIND_PERIODIC when cron_spec, time_zone or periodic is set");
  }
  if (kind === KindCode.JOB_KIND_SCHEDULED) return { kind: "SCHEDULED", ...toDue(due, refuse), schedule: undefined };
  if (kind !== KindCode.JOB_KIND_UNSPECIFIED && kind !== KindCode.JOB_KIND_GENERIC) {
    refuse("metadata.kind", "must be JOB_KIND_GENERIC, JOB_KIND_SCHEDULED, JOB_KIND_PERIODIC or left out");
  } else if (due !== undefined) {
    refuse("metadata.kind", "must be JOB_KIND_SCHEDULED when schedule_delay or run_at is set");
  }
  return { kind: "GENERIC", delayMs: 0, runAt: 0, schedule: undefined };
}

function toDue(due: JobMetadata["due"], refuse: Refuse): { delayMs: number; runAt: number } {
  if (due?.$case === "scheduleDelay") {
    const delayMs = toMs(due.value);
    if (delayMs < 0 || delayMs > tenYearsMs) refuse("metadata.schedule_delay", "must be from 0 to 10 years");
    return { delayMs, runAt: 0 };
  }
  if (due?.$case === "runAt") {
    const runAt = due.value.getTime();
    if (!(runAt > 0) || runAt > Date.now() + tenYearsMs) {
      refuse("metadata.run_at", "must be after 1970 and at most 10 years ahead");
    }
    return { delayMs: 0, runAt };
  }
  refuse("metadata.schedule_delay", "or run_at must be set for JOB_KIND_SCHEDULED");
  return { delayMs: 0, runAt: 0 };
}

function toStatusHook(statusHook: string, refuse: Refuse): string {
  if (statusHook === "") return "";
  const url = statusHook.length > maxHookLength ? null : URL.parse(statusHook);
  const isSound = url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  // in its normal form, so that each host has one name
  if (isSound && url.href.length <= maxHookLength) return url.href;
  const rule = `must be an http or https URL of at most ${maxHookLength} characters, without user name and password`;
  refuse("status_hook", rule);
  return "";
}

function toUnique(job: JobRequest, refuse: Refuse): Pick<ValidLaunch, "isUnique" | "uniqueKey"> {
  const isUnique = job.metadata?.isUnique ?? false;
  if (job.uniqueKey !== "" && !isUnique) refuse("unique_key", "needs metadata.is_unique");
  if (job.uniqueKey.length > 256) refuse("unique_key", "must not be longer than 256 characters");
  return { isUnique, uniqueKey: job.uniqueKey };
}

function toPolicy(policy: PolicyMessage, refuse: Refuse): JobPolicy {
  const duration = (path: string, value: Duration | undefined): number => {
    const ms = value === undefined ? 0 : toMs(value);
    if (ms < 0 || ms > tenYearsMs || (value !== undefined && ms === 0)) {
      refuse(`policy.${path}`, "must be more than 0 and at most 10 years");
    }
    return ms;
  };
  if (policy.maxAttempts < 0 || policy.maxAttempts > maxAttempts) {
    refuse("policy.max_attempts", `must be from 1 to ${maxAttempts}, or left out`);
  }
  if (policy.finalReasons.length > 20 || !policy.finalReasons.every((reason) => reasonPattern.test(reason))) {
    refuse("policy.final_reasons", "must be at most 20 words of A-Z, 0-9 and _");
  }
  return {
    maxAttempts: policy.maxAttempts,
    backoffBaseMs: duration("initial_backoff", policy.initialBackoff),
    backoffCapMs: duration("max_backoff", policy.maxBackoff),
    runTimeoutMs: duration("run_timeout", policy.runTimeout),
    queueTimeoutMs: duration("queue_timeout", policy.queueTimeout),
    finalReasons: policy.finalReasons,
  };
}

function checkLabels(labels: Record<string, string>, refuse: Refuse): void {
  const entries = Object.entries(labels);
  if (entries.length > maxLabels) refuse("labels", `must not be more than ${maxLabels}`);
  for (const [name, value] of entries.slice(0, maxLabels)) {
    if (!labelPattern.test(name))
      refuse(`labels[${name.slice(0, 64)}]`, "must be named by 1 to 63 of a-z, 0-9 and ._-/");
    else if (value.length > 128 || !printable.test(value)) {
      refuse(`labels[${name}]`, "must be at most 128 characters without control characters");
    }
  }
}
