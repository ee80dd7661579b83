import type { Backoff } from "@drydock/shared/backoff.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { WorkerIdentity } from "../domain/worker.ts";
import type { CheckIn, JobPool, Verdict } from "../ports/job-pool.ts";
import type { RunResult } from "./worker-channel.ts";

/** How long jobs wait at least before their next run, when their launch does not say. */
const backoff: Backoff = { baseMs: 1_000, capMs: 60_000 };

/** The longest time that a worker can put a job off for, in milliseconds. */
const maxWaitMs = 24 * 3_600_000;
const maxTextLength = 1_024;

/** What ends a job that did not succeed. */
interface RunLimits {
  /** How many attempts it has. */
  maxFails: number;
  /** How long all workers must have been refused for it, in milliseconds. */
  refusalMs: number;
}

/** Stores how a run on that worker ended. A job that is gone meanwhile makes the result stale. */
export async function storeResult(
  pool: JobPool,
  worker: WorkerIdentity,
  result: RunResult,
  limits: RunLimits,
): Promise<Verdict> {
  try {
    return await store(pool, worker, result, limits);
  } catch (error) {
    if (error instanceof ReasonedError && error.reason === "JOB_NOT_FOUND") return "stale";
    throw error;
  }
}

function store(
  pool: JobPool,
  worker: WorkerIdentity,
  result: RunResult,
  { maxFails, refusalMs }: RunLimits,
): Promise<Verdict> {
  const lease = { ...result.lease, incarnation: worker.incarnation };
  const { outcome, reason, message, retryable, retryAfterMs } = result;
  const checkIn: CheckIn = { text: result.checkIn, ...(result.progress && { progress: result.progress }) };
  const delayMs = Math.min(retryAfterMs ?? 0, maxWaitMs);
  switch (outcome) {
    case "success":
      return pool.succeed(lease, checkIn);
    case "failure": {
      const retry = retryable ? delayMs : "never";
      return pool.fail(lease, { reason, message, retry, maxFails, backoff }, checkIn);
    }
    case "stopped":
      return pool.confirm(lease, "stop");
    case "cancelled":
      return pool.confirm(lease, "cancel");
    case "released":
      return pool.release(lease);
    case "refused": {
      const end = `ERROR when no other has come ${refusalMs / 1_000} s after all are`;
      const text = `another worker is needed, as ${worker.workerId} is refused (${end}): ${message}`;
      const refusal = { patienceMs: result.patienceMs, reason, message };
      return pool.refuse(lease, refusal, { ...checkIn, text: text.slice(0, maxTextLength).toWellFormed() });
    }
    case "postponed": {
      const postponement = { delayMs, backoff, patienceMs: result.patienceMs, reason, message };
      return pool.postpone(lease, postponement, { ...checkIn, text: result.checkIn || message });
    }
  }
}
