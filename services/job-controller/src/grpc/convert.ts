import {
  JobCommand as CommandCode,
  HookStatus as HookCode,
  type JobStats,
  JobKind as KindCode,
  type JobPolicy as PolicyMessage,
  JobStatus as StatusCode,
  type StatusCount,
} from "@drydock/shared/gen/drydock/job/v1/job.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import type { HeldLease, JobCommand, JobKind, JobPolicy, JobProgress, Lease } from "../domain/job.ts";
import type { JobStatus } from "../domain/job-state.ts";
import type { HookStatus } from "../domain/status-hook.ts";
import type { ShownJob } from "../usecases/recent-capacities.ts";
import { toPeriodicState } from "./convert-schedule.ts";
import { toDate, toDuration } from "./time.ts";

const statusCodes = {
  SCHEDULED: StatusCode.JOB_STATUS_SCHEDULED,
  PENDING: StatusCode.JOB_STATUS_PENDING,
  RUNNING: StatusCode.JOB_STATUS_RUNNING,
  STOPPED: StatusCode.JOB_STATUS_STOPPED,
  CANCELLED: StatusCode.JOB_STATUS_CANCELLED,
  ERROR: StatusCode.JOB_STATUS_ERROR,
  SUCCESS: StatusCode.JOB_STATUS_SUCCESS,
} as const satisfies Record<JobStatus, StatusCode>;

const kindCodes = {
  GENERIC: KindCode.JOB_KIND_GENERIC,
  SCHEDULED: KindCode.JOB_KIND_SCHEDULED,
  PERIODIC: KindCode.JOB_KIND_PERIODIC,
} as const satisfies Record<JobKind, KindCode>;

const commandCodes = {
  stop: CommandCode.JOB_COMMAND_STOP,
  cancel: CommandCode.JOB_COMMAND_CANCEL,
} as const satisfies Record<JobCommand, CommandCode>;

const hookCodes = {
  NONE: HookCode.HOOK_STATUS_UNSPECIFIED,
  PENDING: HookCode.HOOK_STATUS_PENDING,
  DELIVERED: HookCode.HOOK_STATUS_DELIVERED,
  FAILED: HookCode.HOOK_STATUS_FAILED,
  GONE: HookCode.HOOK_STATUS_GONE,
} as const satisfies Record<HookStatus, HookCode>;

/** The job as clients see it, for those who know its parameters. */
export function toStatsWithoutParameters(job: ShownJob): JobStats {
  const hasDied = job.status === "ERROR" || job.status === "CANCELLED";
  return {
    id: job.id,
    name: job.name,
    kind: kindCodes[job.kind],
    status: statusCodes[job.status],
    unique: job.uniqueKey !== "",
    refLink: `/api/v1/jobs/${job.id}`,
    cronSpec: job.schedule?.cronSpec ?? "",
    enqueueTime: toDate(job.enqueuedAt),
    updateTime: toDate(job.updatedAt),
    runAt: toDate(job.runAt),
    scheduledFor: toDate(job.scheduledFor),
    startTime: toDate(job.startedAt),
    endTime: toDate(job.endedAt),
    dieAt: hasDied ? toDate(job.endedAt) : undefined,
    checkIn: toCheckInText(job),
    checkInAt: toDate(job.checkInAt),
    progress: job.progress,
    parameters: undefined,
    executions: job.executions,
    multipleExecutions: job.executions.length > 0,
    upstreamJobId: job.upstreamJobId,
    attempt: job.attempt,
    crashes: job.crashes,
    revision: job.revision,
    lastError: job.lastError && {
      reason: job.lastError.reason,
      message: job.lastError.message,
      attempt: job.lastError.attempt,
      time: toDate(job.lastError.at),
    },
    workerId: job.workerId,
    priority: job.priority,
    fairnessKey: job.fairnessKey,
    policy: job.policy && toPolicyMessage(job.policy),
    labels: job.labels,
    executionTotals: toStatusCounts(job.executionTotals),
    periodic: toPeriodicState(job),
    hookStatus: hookCodes[job.hookStatus],
    pendingCommand: job.command === undefined ? CommandCode.JOB_COMMAND_UNSPECIFIED : toCommandCode(job.command),
  };
}

/** The last check-in; of a job that waits for what its type needs, that and, where it is known, since when. */
function toCheckInText({ status, postponedSince, updatedAt, checkIn, waitingFor }: ShownJob): string {
  const isPostponed = postponedSince > 0 && (status === "SCHEDULED" || status === "PENDING");
  if (!isPostponed && waitingFor === undefined) return checkIn;
  const text = waitingFor?.message ?? checkIn;
  const since = isPostponed ? postponedSince : waitingFor?.since;
  if (since === undefined) return `waits: ${text}`;
  const from = isPostponed ? since : Math.max(updatedAt, since);
  return `waits since ${new Date(from).toISOString().slice(0, 19)}Z: ${text}`;
}

/** The job as clients see it; without parameters if it was read so. */
export function toStats(job: ShownJob): JobStats {
  const stats = toStatsWithoutParameters(job);
  return job.parametersJson === "" ? stats : { ...stats, parameters: JSON.parse(job.parametersJson) };
}

/** How a hook stands, as clients see it. */
export function toHookStatusCode(status: HookStatus): HookCode {
  return hookCodes[status];
}

/** How many jobs have each status, as clients see it. */
export function toStatusCounts(totals: ShownJob["executionTotals"]): StatusCount[] {
  return Object.entries(totals).map(([status, count]) => ({ status: toStatusCode(status as JobStatus), count }));
}

/** The status as clients see it. */
export function toStatusCode(status: JobStatus): StatusCode {
  return statusCodes[status];
}

/** The requested status; undefined when unset or unknown. */
export function fromStatusCode(code: StatusCode): JobStatus | undefined {
  return keyOf(statusCodes, code);
}

/** The requested kind; undefined when unset or unknown. */
export function fromKindCode(code: KindCode): JobKind | undefined {
  return code === KindCode.JOB_KIND_UNSPECIFIED ? undefined : keyOf(kindCodes, code);
}

/** The command as workers see it. */
export function toCommandCode(command: JobCommand): CommandCode {
  return commandCodes[command];
}

/** A lease from a message; a missing one is one that no job has. */
export function toLease(lease: { jobId: string; token: number } | undefined): Lease {
  return { jobId: lease?.jobId ?? "", token: lease?.token ?? -1 };
}

/** A lease from a message that names the process as well. */
export function toHeldLease(message: {
  lease?: { jobId: string; token: number } | undefined;
  incarnation: string;
}): HeldLease {
  return { ...toLease(message.lease), incarnation: message.incarnation };
}

/** Progress from a message, brought into its bounds. */
export function toProgress(progress: { phase: string; percent: number } | undefined): JobProgress | undefined {
  if (progress === undefined) return undefined;
  return {
    phase: oneLine(progress.phase).slice(0, 64),
    percent: Math.min(100, Math.max(0, Math.trunc(progress.percent))),
  };
}

function toPolicyMessage(policy: JobPolicy): PolicyMessage {
  const duration = (ms: number) => (ms === 0 ? undefined : toDuration(ms));
  return {
    maxAttempts: policy.maxAttempts,
    initialBackoff: duration(policy.backoffBaseMs),
    maxBackoff: duration(policy.backoffCapMs),
    runTimeout: duration(policy.runTimeoutMs),
    queueTimeout: duration(policy.queueTimeoutMs),
    finalReasons: policy.finalReasons,
  };
}

function keyOf<Key extends string, Value>(record: Record<Key, Value>, value: Value): Key | undefined {
  return (Object.keys(record) as Key[]).find((key) => record[key] === value);
}
