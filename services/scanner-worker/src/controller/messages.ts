import { JobCommand, type JobPolicy } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as proto from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { Outcome } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import type { Duration } from "@drydock/shared/gen/google/protobuf/duration.ts";
import { z } from "zod";
import type { JobType, OpCommand, SubJobPolicy } from "../ports/job.ts";
import type { SubJob } from "../ports/job-services.ts";
import type { Assignment, CheckIn, ClosedType, Lease, RunResult } from "../ports/job-source.ts";

/** A message of the worker to its controller. */
export type WorkerMessage = NonNullable<proto.WorkerMessage["message"]>;
/** A message of the controller to its worker. */
export type ControllerMessage = NonNullable<proto.ControllerMessage["message"]>;

/** A job type as Hello declares it. */
export function toJobType({
  name,
  description,
  parameters,
  maxFails,
  maxRunning = 0,
  maxKeyPercent = 0,
  isSingleton = false,
}: JobType): proto.JobType {
  const parametersSchema = JSON.stringify(z.toJSONSchema(parameters, { io: "input" }));
  return { name, description, parametersSchema, maxFails, maxRunning, maxKeyPercent, isSingleton };
}

export function toClosedType({ patienceMs, ...closed }: ClosedType): proto.ClosedType {
  return { ...closed, patience: patienceMs === undefined ? undefined : toDuration(patienceMs) };
}

export function toCheckIn(lease: Lease, { text, progress }: CheckIn): WorkerMessage {
  return { $case: "checkin", value: { lease, text, progress } };
}

const outcomes = {
  success: Outcome.OUTCOME_SUCCESS,
  failure: Outcome.OUTCOME_FAILURE,
  stopped: Outcome.OUTCOME_STOPPED,
  cancelled: Outcome.OUTCOME_CANCELLED,
  released: Outcome.OUTCOME_RELEASED,
  postponed: Outcome.OUTCOME_POSTPONED,
  refused: Outcome.OUTCOME_REFUSED,
} as const satisfies Record<RunResult["outcome"]["kind"], Outcome>;

export function toResult({ lease, outcome, checkIn }: RunResult): WorkerMessage {
  const failure = outcome.kind === "failure" ? outcome : undefined;
  const postponement = outcome.kind === "postponed" ? outcome : undefined;
  const cause = "reason" in outcome ? outcome : undefined;
  const retryAfterMs = failure?.retryAfterMs ?? postponement?.afterMs;
  const patienceMs = "patienceMs" in outcome ? outcome.patienceMs : undefined;
  return {
    $case: "result",
    value: {
      lease,
      outcome: outcomes[outcome.kind],
      reason: cause?.reason ?? "",
      message: cause?.message ?? "",
      retryable: failure?.retryable ?? false,
      retryAfter: retryAfterMs === undefined ? undefined : toDuration(retryAfterMs),
      checkIn: postponement?.message ?? checkIn?.text ?? "",
      progress: checkIn?.progress,
      patience: patienceMs === undefined ? undefined : toDuration(patienceMs),
    },
  };
}

/** What LaunchSubJob asks for; one of many launches names neither lease nor incarnation. */
export function toLaunchSubJob(lease: Lease | undefined, incarnation: string, job: SubJob): proto.LaunchSubJobRequest {
  const { key, name, parameters, priority = 0, isUnique = false, policy, labels = {} } = job;
  const { uniqueKey = "", delayMs = 0 } = job;
  return {
    lease,
    key,
    name,
    parameters,
    priority,
    isUnique,
    policy: policy && toPolicy(policy),
    labels,
    incarnation,
    uniqueKey,
    scheduleDelay: delayMs === 0 ? undefined : toDuration(delayMs),
  };
}

function toPolicy({ maxAttempts = 0, finalReasons = [], ...waits }: SubJobPolicy): JobPolicy {
  const duration = (ms: number | undefined) => (ms === undefined ? undefined : toDuration(ms));
  return {
    maxAttempts,
    initialBackoff: duration(waits.initialBackoffMs),
    maxBackoff: duration(waits.maxBackoffMs),
    runTimeout: duration(waits.runTimeoutMs),
    queueTimeout: duration(waits.queueTimeoutMs),
    finalReasons: [...finalReasons],
  };
}

/** Undefined when the message names no lease. */
export function fromAssign(assign: proto.Assign): Assignment | undefined {
  const { lease, name, parametersJson, attempt, runTimeout, logOffset, traceContext } = assign;
  if (lease === undefined) return undefined;
  const timeoutMs = runTimeout && fromDuration(runTimeout, 0);
  return { lease, name, parametersJson, attempt, timeoutMs, logOffset, traceContext };
}

/** Undefined when the command is not known. */
export function fromCommand(command: JobCommand): OpCommand | undefined {
  switch (command) {
    case JobCommand.JOB_COMMAND_STOP:
      return "stop";
    case JobCommand.JOB_COMMAND_CANCEL:
      return "cancel";
    default:
      return undefined;
  }
}

/** In milliseconds; the fallback when the field is unset or not above zero. */
export function fromDuration(duration: Duration | undefined, fallbackMs: number): number {
  const ms = duration === undefined ? 0 : duration.seconds * 1000 + duration.nanos / 1e6;
  return ms > 0 ? ms : fallbackMs;
}

function toDuration(ms: number): Duration {
  const whole = Math.max(Math.round(ms), 0);
  return { seconds: Math.floor(whole / 1000), nanos: (whole % 1000) * 1e6 };
}
