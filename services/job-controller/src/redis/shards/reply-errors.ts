import { ReasonedError, toError } from "@drydock/shared/errors.ts";
import { jobKinds } from "../../domain/job.ts";
import { jobStatuses } from "../../domain/job-state.ts";
import { type Refused, wayOut } from "../../domain/way-out.ts";
import { recordVersion } from "../record/fields.ts";

/** How long callers are asked to wait while Redis is away, in milliseconds. */
const retryAfterMs = 2_000;

/** The same while its memory is full. */
const fullRetryAfterMs = 10_000;

/** The same while a unique job ends. */
const endingRetryAfterMs = 1_000;

/** Why Redis refuses what is asked of it. */
interface Refusal {
  /** For callers, after "Redis". */
  state: string;
  /** For operators. */
  remedy: string;
}

const isReplica: Refusal = {
  state: "is a replica",
  remedy: "point DRYDOCK_REDIS_URL at the master, or promote this one: REPLICAOF NO ONE",
};
const passwordRemedy = "set user and password in DRYDOCK_REDIS_URL: redis://USER:PASSWORD@HOST:PORT/0";

/** The words that Redis' errors begin with while it refuses what it would do at another time, or for another user. */
const refusals: Readonly<Record<string, Refusal>> = {
  READONLY: isReplica,
  MASTERDOWN: isReplica,
  NOREPLICAS: {
    state: "has too few replicas to accept writes",
    remedy: "start its replicas, or lower min-replicas-to-write",
  },
  MISCONF: { state: "cannot save its data", remedy: "see its log, and make room on its disk" },
  LOADING: { state: "is loading its data", remedy: "wait until it has loaded them" },
  BUSY: { state: "is busy with a script", remedy: "wait, or end the script: SCRIPT KILL" },
  CLUSTERDOWN: { state: "is part of a cluster that is down", remedy: "mend the cluster: CLUSTER INFO tells its state" },
  TRYAGAIN: { state: "is moving keys in its cluster", remedy: "wait until the slots are moved" },
  NOAUTH: { state: "requires a password", remedy: passwordRemedy },
  WRONGPASS: { state: "rejects the user or password", remedy: passwordRemedy },
  NOPERM: {
    state: "denies the controller's user a right",
    remedy: "grant it with ACL SETUSER: keys {drydock:*, channels {drydock:*, commands +@all -@dangerous +info",
  },
};
const refusalInScript = new RegExp(`: (${Object.keys(refusals).join("|")}) `);

/** What an operator does about an error whose first word is one of Redis' refusals; undefined for other errors. */
export function refusalRemedy(message: string): string | undefined {
  return refusals[firstWord(message)]?.remedy;
}

/** Whether the error means that Redis is a replica. */
export function saysReplica(message: string): boolean {
  return refusals[firstWord(message)] === isReplica;
}

/** Whether the error means that the user lacks a right. */
export function saysNoPermission(message: string): boolean {
  return firstWord(message) === "NOPERM";
}

/** Another caller was quicker, and that may be over already: it is worth another try. */
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
    default:
      return undefined;
  }
}

/** A script's named error, or a fault of the connection, as the error that callers see. */
export function toReasonedError(thrown: unknown): Error {
  if (thrown instanceof ReasonedError) return thrown;
  const error = toError(thrown);
  const { message } = error;
  const refusal = refusalOf(message);
  if (refusal !== undefined) return refusal;
  switch (firstWord(message)) {
    case "OOM":
      return poolFull(error);
    case "SCRIPT_FAULT":
      if (message.includes("OOM command not allowed")) return poolFull(error);
      return refusalInScript.test(message) ? redisUnavailable(error) : error;
    case "ERR":
    case "WRONGTYPE":
      return error;
    default:
      return redisUnavailable(error);
  }
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

/** Redis does not answer, or refuses what it would do at another time. */
export function redisUnavailable(cause: Error): ReasonedError {
  const word = refusalInScript.exec(cause.message)?.[1] ?? firstWord(cause.message);
  const state = refusals[word]?.state ?? "does not answer";
  return new ReasonedError("REDIS_UNAVAILABLE", `Redis ${state}; try again shortly`, { retryAfterMs, cause });
}

function firstWord(message: string): string {
  return message.split(" ", 1)[0] ?? "";
}

/** The pool in Redis is not for this controller; the text says why, and what an operator has to mend. */
export function poolFormatMismatch(text: string, metadata: Record<string, string>): ReasonedError {
  return new ReasonedError("POOL_FORMAT_MISMATCH", text, { metadata, retryAfterMs });
}

/** Redis refuses to store more; nothing was stored. */
function poolFull(cause: Error): ReasonedError {
  return new ReasonedError("POOL_FULL", "the pool is full: Redis has no memory left", {
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

/** The same when that is about to change. */
export function alreadyEnds(jobId: string): ReasonedError {
  return alreadyExists(jobId, endingRetryAfterMs);
}

/** @param subject what was asked, then the numbers of the status and of the kind, e.g. "retry 7 1" */
function statusForbids(subject: string): ReasonedError {
  const [asked, statusNumber, kindNumber] = subject.split(" ");
  const status = jobStatuses[Number(statusNumber) - 1] ?? "SUCCESS";
  const isPeriodic = jobKinds[Number(kindNumber) - 1] === "PERIODIC";
  const text = `the job is ${status}; ${wayOut(asked as Refused, status, isPeriodic)}`;
  return new ReasonedError("JOB_STATUS_FORBIDS", text, {
    metadata: { status },
    precondition: { type: "JOB_STATUS", subject: status, description: text },
  });
}
