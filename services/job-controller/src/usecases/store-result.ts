import type { Backoff } from "@drydock/shared/backoff.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { HeldLease } from "../domain/job.ts";
import { defaultMaxFails } from "../domain/job-type.ts";
import type { CheckIn, JobPool, Verdict } from "../ports/job-pool.ts";
import type { RunResult } from "./worker-channel.ts";

/** How long jobs wait at least before their next run, when their launch does not say. */
const backoff: Backoff = { baseMs: 1_000, capMs: 60_000 };

/** The longest time that a worker can put a job off for, in milliseconds. */
const maxWaitMs = 24 * 3_600_000;

/** Stores how a run of a process ended. A job that is gone meanwhile makes the result stale. */
export async function storeResult(
  pool: JobPool,
  incarnation: string,
  result: RunResult,
  maxFails = defaultMaxFails,
): Promise<Verdict> {
  try {
    return await store(pool, { ...result.lease, incarnation }, result, maxFails);
  } catch (error) {
    if (error instanceof ReasonedError && error.reason === "JOB_NOT_FOUND") return "stale";
    throw error;
  }
}

function store(pool: JobPool, lease: HeldLease, result: RunResult, maxFails: number): Promise<Verdict> {
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
    case "postponed": {
      const postponement = { delayMs, backoff, patienceMs: result.patienceMs, reason, message };
      return pool.postpone(lease, postponement, { ...checkIn, text: result.checkIn || message });
    }
  }
}
