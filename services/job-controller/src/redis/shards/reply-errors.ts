import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import { jobKinds } from "../../domain/job.ts";
import { jobStatuses } from "../../domain/job-state.ts";
import { type RefusedAction, statusRemedy } from "../../domain/status-remedy.ts";
import { recordVersion } from "../record/fields.ts";
import { describeFault, explain, isRefusal } from "../redis-fault.ts";

/** RetryInfo while Redis is away, in milliseconds. */
const retryAfterMs = 2_000;

/** RetryInfo while Redis' memory is full, in milliseconds. */
const fullRetryAfterMs = 10_000;

/** RetryInfo while the job that holds a unique key ends, in milliseconds. */
const endingRetryAfterMs = 1_000;

/** Another caller holds the id or key, perhaps no longer: it is worth another try. */
export class Overtaken extends Error {
  override readonly name: string = "Overtaken";
  /** The other caller's job. */
  readonly jobId: string;

  constructor(jobId: string) {
    super(jobId);
    this.jobId = jobId;
  }
}

/** The id of a new job is in use already: another process made the same one in the same millisecond. */
export class IdTaken extends Overtaken {
  override readonly name = "IdTaken";
}

/** A unique key is reserved for a job of another shard, or the reservation was withdrawn. */
export class KeyReserved extends Overtaken {
  override readonly name = "KeyReserved";
  readonly ticket: string;

  /** @param subject the job and the ticket of the reservation */
  constructor(subject: string) {
    const [jobId = "", ticket = ""] = subject.split(" ");
    super(jobId);
    this.ticket = ticket;
  }
}

/** What an operation refused by name, as the error that callers see; undefined for the words of Redis and for faults. */
export function refusalOf(text: string): Error | undefined {
  const [word = "", ...rest] = text.split(" ");
  const subject = rest.join(" ").trim();
  switch (word) {
    case "ID_TAKEN":
      return new IdTaken(subject);
    case "JOB_NOT_FOUND":
      return jobNotFound(subject);
    case "RECORD_VERSION_UNKNOWN":
      return recordVersionUnknown(subject);
    case "JOB_STATUS_FORBIDS":
      return statusForbids(subject);
    case "UNIQUE_TAKEN":
      return alreadyExists(subject);
    case "UNIQUE_ENDS":
      return alreadyEnds(subject);
    case "UNIQUE_RESERVED":
      return new KeyReserved(subject);
    case "LEASE_LOST":
      return new ReasonedError("LEASE_LOST", `the lease of ${subject} is lost; abandon it and report nothing`);
    case "WORKER_SUPERSEDED":
      return new ReasonedError("WORKER_SUPERSEDED", `a newer process has taken over the worker id ${subject}`);
    case "WORKER_NOT_FOUND":
      return workerNotFound(subject);
    case "POLICIES_FULL":
      return policiesFull(subject);
    default:
      return undefined;
  }
}

/** A script's named error, or a fault of the connection, as the error that callers see. */
export function toReasonedError(thrown: unknown): Error {
  if (thrown instanceof ReasonedError) return thrown;
  const error = toError(thrown);
  const refusal = refusalOf(error.message);
  if (refusal !== undefined) return refusal;
  const isFault = /^(SCRIPT_FAULT|ERR|WRONGTYPE) /.test(error.message);
  return isFault && !isRefusal(error.message) ? error : redisUnavailable(error);
}

/** The answer, or the error that callers see. */
export async function answered<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw toReasonedError(error);
  }
}

/** There is no such job. */
export function jobNotFound(jobId: string): ReasonedError {
  return new ReasonedError("JOB_NOT_FOUND", `there is no job ${jobId}: it never existed, or it is past its keep time`, {
    metadata: { job_id: jobId },
    resource: { type: "drydock.job.v1.Job", name: jobId },
  });
}

/** @param subject the job's id and the version of its record */
function recordVersionUnknown(subject: string): ReasonedError {
  const [jobId = "", version = ""] = subject.split(" ");
  const text = `the record of job ${jobId} has version ${version}, and this controller reads ${recordVersion}; upgrade it`;
  return new ReasonedError("RECORD_VERSION_UNKNOWN", text, {
    metadata: { job_id: jobId, record_version: version },
    precondition: { type: "RECORD_VERSION", subject: jobId, description: text },
  });
}

function workerNotFound(workerId: string): ReasonedError {
  return new ReasonedError("WORKER_NOT_FOUND", `there is no worker ${workerId}`, {
    metadata: { worker_id: workerId },
    resource: { type: "drydock.job.v1.Worker", name: workerId },
  });
}

/** @param subject "policies" or "exceptions", and how many there may be */
function policiesFull(subject: string): ReasonedError {
  const [what = "", most = ""] = subject.split(" ");
  const text = `there are ${most} ${what}, as many as there may be; delete those that nobody needs`;
  return new ReasonedError("POLICIES_FULL", text, { metadata: { what, most } });
}

/** Redis does not answer, or refuses what it would do at another time; without memory, the pool is full. */
export function redisUnavailable(cause: Error): ReasonedError {
  const fault = explain(cause);
  const text = describeFault(fault);
  if (fault.words.startsWith("OOM ")) return poolFull(text, cause);
  return new ReasonedError("REDIS_UNAVAILABLE", text, { retryAfterMs, cause });
}

/** The pool in Redis is not for this controller; the text says why, and what an operator has to mend. */
export function poolFormatMismatch(text: string, metadata: Record<string, string>): ReasonedError {
  return new ReasonedError("POOL_FORMAT_MISMATCH", text, { metadata, retryAfterMs });
}

/** Redis refuses to store more; nothing was stored. */
function poolFull(text: string, cause: Error): ReasonedError {
  return new ReasonedError("POOL_FULL", `the pool is full: ${text}`, {
    metadata: { used_memory: "100 %" },
    retryAfterMs: fullRetryAfterMs,
    cause,
  });
}

/** The job of the same unique key is alive. */
function alreadyExists(jobId: string, retryAfterMs?: number): ReasonedError {
  const text = `job ${jobId} of the same name and key is alive; only one may be. Wait for it, or stop it`;
  return new ReasonedError("JOB_ALREADY_EXISTS", text, {
    metadata: { job_id: jobId },
    resource: { type: "drydock.job.v1.Job", name: jobId, description: text },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** The job that holds the unique key is about to end: a call a moment later may succeed. */
export function alreadyEnds(jobId: string): ReasonedError {
  return alreadyExists(jobId, endingRetryAfterMs);
}

/** @param subject what was asked, then the numbers of the status and of the kind, e.g. "retry 7 1" */
function statusForbids(subject: string): ReasonedError {
  const [asked, statusNumber, kindNumber] = subject.split(" ");
  const status = jobStatuses[Number(statusNumber) - 1] ?? "SUCCESS";
  const isPeriodic = jobKinds[Number(kindNumber) - 1] === "PERIODIC";
  const text = `the job is ${status}; ${statusRemedy(asked as RefusedAction, status, isPeriodic)}`;
  return new ReasonedError("JOB_STATUS_FORBIDS", text, {
    metadata: { status },
    precondition: { type: "JOB_STATUS", subject: status, description: text },
  });
}
