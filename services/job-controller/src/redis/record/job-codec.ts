import {
  type ClaimedJob,
  type Job,
  type JobCommand,
  type JobError,
  type JobPolicy,
  jobKinds,
  type LaunchOptions,
  type Lease,
  usualOptions,
} from "../../domain/job.ts";
import { isFinal, type JobStatus, jobStatuses } from "../../domain/job-state.ts";
import type { PeriodicCounts } from "../../domain/schedule.ts";
import { hookStatuses } from "../../domain/status-hook.ts";
import type { OpenCommand } from "../../ports/job-pool.ts";
import type { Reply } from "../shards/reply.ts";
import { fault, list, number, text } from "../shards/reply.ts";
import { recordCodes } from "./fields.ts";
import { readStoredJob, type StoredJob } from "./stored-job.gen.ts";

/** The number that the scripts use for a command. */
export function commandCode(command: JobCommand): number {
  return recordCodes.commands[command === "stop" ? "STOP" : "CANCEL"];
}

/** The command for the scripts' number. */
export function commandOf(code: number): JobCommand | undefined {
  return (["stop", "cancel"] as const).find((command) => commandCode(command) === code);
}

/** The number that the scripts use for a status. */
export function statusCode(status: JobStatus): number {
  return recordCodes.statuses[status];
}

/** The status for the scripts' number. */
export function statusOf(reply: Reply | undefined): JobStatus {
  return wordOf(jobStatuses, recordCodes.statuses, reply) ?? fault("status", reply);
}

/** The word that has the number. */
function wordOf<T extends string>(
  words: readonly T[],
  codes: Readonly<Record<T, number>>,
  reply: Reply | undefined,
): T | undefined {
  return words.find((word) => codes[word] === Number(reply));
}

/** A job as record/shown.lua shows it: its id, fields, details, parameters and traceparent. */
export function toJob(reply: Reply, launched: Reply[] = []): Job {
  const [id, fields, details, parameters, traceparent] = list(reply);
  const [executions, totals, periodic] = launched;
  const stored = readStoredJob(fields, details);
  const status = statusOf(stored.status);
  return {
    id: text(id),
    name: stored.name,
    status,
    kind: wordOf(jobKinds, recordCodes.kinds, stored.kind) ?? fault("kind", stored.kind),
    priority: stored.priority,
    command: commandOf(stored.command),
    crashes: stored.crashes,
    hookStatus:
      wordOf(hookStatuses, recordCodes["hook-statuses"], stored.hookStatus) ?? fault("hook status", stored.hookStatus),
    attempt: stored.attempt,
    token: stored.token,
    revision: stored.revision,
    enqueuedAt: stored.enqueued,
    updatedAt: stored.updated,
    runAt: status === "SCHEDULED" ? stored.statusTime : 0,
    startedAt: stored.started,
    endedAt: isFinal(status) ? stored.statusTime : 0,
    upstreamJobId: stored.upstream,
    workerId: stored.worker,
    fairnessKey: stored.fairness,
    createdBy: stored.createdBy,
    scheduledFor: stored.scheduledFor,
    postponedSince: stored.postponedSince,
    ...toDetails(stored),
    traceparent: text(traceparent),
    parametersJson: text(parameters),
    executions: executions === undefined ? [] : list(executions).map(text),
    executionTotals: toTotals(totals),
    periodicCounts: toPeriodicCounts(periodic),
  };
}

function toDetails({ checkIn, checkInAt, phase, percent, error, unique, policy, labels, schedule, hook }: StoredJob) {
  return {
    checkIn,
    checkInAt,
    progress: phase === "" ? undefined : { phase, percent },
    lastError: toError(error),
    uniqueKey: unique,
    policy: toPolicy(policy),
    labels: labels === "" ? {} : JSON.parse(labels),
    schedule: schedule === "" ? undefined : JSON.parse(schedule),
    statusHook: hook,
  };
}

/** A job as operators/read.lua answers it: with what it launched. */
export function toWholeJob(reply: Reply): Job {
  const [job, ...launched] = list(reply);
  return toJob(job ?? null, launched);
}

/** The options as life/launch.lua takes them: empty when all are the defaults. */
export function toOptionsArgument(options: LaunchOptions | undefined): string {
  if (options === undefined || options === usualOptions) return "";
  const { kind, priority, fairnessKey, runAt, uniqueKey, requestKey, policy, labels, schedule, statusHook } = options;
  return JSON.stringify({
    priority,
    fairness: fairnessKey,
    kind: recordCodes.kinds[kind],
    run_at: runAt,
    unique: uniqueKey,
    request: requestKey,
    policy: policy !== undefined && [
      policy.maxAttempts,
      policy.backoffBaseMs,
      policy.backoffCapMs,
      policy.runTimeoutMs,
      policy.queueTimeoutMs,
      policy.finalReasons,
    ],
    labels: Object.keys(labels).length === 0 ? "" : JSON.stringify(labels),
    schedule: schedule === undefined ? "" : JSON.stringify(schedule),
    hook: statusHook,
  });
}

/** A claimed job from an entry of claim's reply. */
export function toClaimedJob(reply: Reply): ClaimedJob {
  const [id, token, name, attempt, logOffset, traceparent, runTimeoutMs, parametersJson] = list(reply);
  return {
    id: text(id),
    token: number(token),
    name: text(name),
    attempt: number(attempt),
    logOffset: number(logOffset),
    traceparent: text(traceparent),
    runTimeoutMs: number(runTimeoutMs),
    parametersJson: text(parametersJson),
  };
}

/** An open command from an entry of hello's or beat's reply. */
export function toOpenCommand(reply: Reply): OpenCommand {
  const [jobId, token, code] = list(reply);
  const command = commandOf(number(code)) ?? fault("command", code);
  return { lease: { jobId: text(jobId), token: number(token) }, command };
}

/** Leases as the arguments of a script. */
export function leaseArguments(leases: readonly Lease[]): Array<string | number> {
  return leases.flatMap(({ jobId, token }) => [jobId, token]);
}

function toError(reply: Reply | undefined): JobError | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [reason, message, attempt, at] = reply;
  return { reason: text(reason), message: text(message), attempt: number(attempt), at: number(at) };
}

function toPolicy(reply: Reply | undefined): JobPolicy | undefined {
  if (!Array.isArray(reply)) return undefined;
  const [maxAttempts, backoffBaseMs, backoffCapMs, runTimeoutMs, queueTimeoutMs, finalReasons] = reply;
  return {
    maxAttempts: number(maxAttempts),
    backoffBaseMs: number(backoffBaseMs),
    backoffCapMs: number(backoffCapMs),
    runTimeoutMs: number(runTimeoutMs),
    queueTimeoutMs: number(queueTimeoutMs),
    finalReasons: list(finalReasons).map(text),
  };
}

function toPeriodicCounts(reply: Reply | undefined): PeriodicCounts | undefined {
  if (!Array.isArray(reply) || reply.length === 0) return undefined;
  const [paused, launched, missed, skipped, waiting] = reply;
  const counts = { launched: number(launched), missed: number(missed), skipped: number(skipped) };
  return { paused: paused === 1, ...counts, waiting: waiting === 1 };
}

/** How many jobs have each status, from statuses and counts in turn. */
export function toTotals(reply: Reply | undefined): Job["executionTotals"] {
  const totals: Job["executionTotals"] = {};
  const pairs = reply === undefined ? [] : list(reply);
  for (let at = 0; at < pairs.length; at += 2) {
    const count = Number(pairs[at + 1]);
    if (count > 0) totals[statusOf(pairs[at])] = count;
  }
  return totals;
}
