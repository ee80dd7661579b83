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
import { type JobStatus, jobStatuses } from "../../domain/job-state.ts";
import type { PeriodicCounts } from "../../domain/schedule.ts";
import { hookStatuses } from "../../domain/status-hook.ts";
import type { OpenCommand } from "../../ports/job-pool.ts";
import { fault, list, number, text } from "../shards/reply.ts";
import type { Reply } from "../shards/shard.ts";

const commands: readonly (JobCommand | undefined)[] = [undefined, "stop", "cancel"];

/** The number that the scripts use for a command. */
export function commandCode(command: JobCommand): number {
  return commands.indexOf(command);
}

/** The command for the scripts' number. */
export function commandOf(code: number): JobCommand | undefined {
  return commands[code];
}

/** The number that the scripts use for a status. */
export function statusCode(status: JobStatus): number {
  return jobStatuses.indexOf(status) + 1;
}

/** The status for the scripts' number. */
export function statusOf(reply: Reply | undefined): JobStatus {
  return jobStatuses[Number(reply) - 1] ?? fault("status", reply);
}

/** A job as record.lua shows it: its id, fields, details and parameters, each in the order of that file. */
export function toJob(reply: Reply, launched: Reply[] = []): Job {
  const [id, fields, details, parameters] = list(reply);
  const [executions, totals, periodic] = launched;
  const [status, kind, priority, command, crashes, , , hookStatus, attempt, ...others] = list(fields);
  const [token, revision, enqueuedAt, updatedAt, runAt, startedAt, endedAt, , , ...names] = others;
  const [name, upstreamJobId, workerId, fairnessKey] = names;
  return {
    id: text(id),
    status: statusOf(status),
    kind: jobKinds[number(kind) - 1] ?? fault("kind", kind),
    priority: number(priority),
    command: commandOf(number(command)),
    crashes: number(crashes),
    hookStatus: hookStatuses[number(hookStatus)] ?? fault("hook status", hookStatus),
    attempt: number(attempt),
    token: number(token),
    revision: number(revision),
    enqueuedAt: number(enqueuedAt),
    updatedAt: number(updatedAt),
    runAt: number(runAt),
    startedAt: number(startedAt),
    endedAt: number(endedAt),
    name: text(name),
    upstreamJobId: text(upstreamJobId),
    workerId: text(workerId),
    fairnessKey: text(fairnessKey),
    ...toDetails(details),
    parametersJson: text(parameters),
    executions: executions === undefined ? [] : list(executions).map(text),
    executionTotals: toTotals(totals),
    periodicCounts: toPeriodicCounts(periodic),
  };
}

function toDetails(reply: Reply | undefined) {
  const [checkIn, checkInAt, phase, percent, error, ...launched] = list(reply);
  const [traceparent, uniqueKey, policy, labels, schedule, statusHook] = launched;
  return {
    checkIn: text(checkIn),
    checkInAt: number(checkInAt),
    progress: phase === "" ? undefined : { phase: text(phase), percent: number(percent) },
    lastError: toError(error),
    traceparent: text(traceparent),
    uniqueKey: text(uniqueKey),
    policy: toPolicy(policy),
    labels: labels === "" ? {} : JSON.parse(text(labels)),
    schedule: schedule === "" ? undefined : JSON.parse(text(schedule)),
    statusHook: text(statusHook),
  };
}

/** A job as read.lua answers it: with what it launched. */
export function toWholeJob(reply: Reply): Job {
  const [job, ...launched] = list(reply);
  return toJob(job ?? null, launched);
}

/** The options as launch.lua takes them: empty for those that say nothing. */
export function toOptionsArgument(options: LaunchOptions | undefined): string {
  if (options === undefined || options === usualOptions) return "";
  const { kind, priority, fairnessKey, runAt, uniqueKey, requestKey, policy, labels, schedule, statusHook } = options;
  return JSON.stringify({
    priority,
    fairness: fairnessKey,
    kind: jobKinds.indexOf(kind) + 1,
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

function toTotals(reply: Reply | undefined): Job["executionTotals"] {
  const totals: Job["executionTotals"] = {};
  const pairs = reply === undefined ? [] : list(reply);
  for (let at = 0; at < pairs.length; at += 2) {
    const count = Number(pairs[at + 1]);
    if (count > 0) totals[statusOf(pairs[at])] = count;
  }
  return totals;
}
