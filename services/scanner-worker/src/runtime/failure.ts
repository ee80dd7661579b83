import { oneLine } from "@drydock/shared/plain-text.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { JobPostponed } from "../domain/job-postponed.ts";
import type { JobType } from "../ports/job.ts";
import type { Outcome } from "../ports/job-source.ts";
import { cutBytes, messageOf } from "./text.ts";

const maxMessageBytes = 1024;
/** Patience of a job whose type sets none, in milliseconds. */
const defaultPatienceMs = 24 * 3_600_000;

/** How long a job of the type waits for the outside in all, in milliseconds. */
export function patienceMsOf({ patienceMs = defaultPatienceMs }: JobType): number {
  return patienceMs;
}

/**
 * What is reported when a handler throws.
 * @param waitMs gives the wait of a job that the outside failed, in milliseconds, at least the given one
 */
export function outcomeOfThrown(error: unknown, type: JobType, waitMs: (atLeastMs: number) => number): Outcome {
  if (error instanceof JobPostponed) {
    const message = cutBytes(oneLine(error.message), maxMessageBytes);
    return { kind: "postponed", reason: "", message, afterMs: error.afterMs, patienceMs: undefined };
  }
  if (error instanceof JobFailure) return outcomeOfFailure(error, type, waitMs);
  return {
    kind: "failure",
    reason: "HANDLER_ERROR",
    message: cutBytes(messageOf(error), maxMessageBytes),
    retryable: shouldRetry(error, type),
    retryAfterMs: undefined,
  };
}

function outcomeOfFailure(error: JobFailure, type: JobType, waitMs: (atLeastMs: number) => number): Outcome {
  const { reason, retryAfterMs, fault, closesType } = error;
  const message = cutBytes(error.message, maxMessageBytes);
  switch (fault) {
    case "job":
      return { kind: "failure", reason, message, retryable: error.retryable && shouldRetry(error, type), retryAfterMs };
    case "outside": {
      const afterMs = waitMs(retryAfterMs ?? 0);
      return { kind: "postponed", reason, message, afterMs, patienceMs: patienceMsOf(type) };
    }
    case "worker":
      return closesType
        ? { kind: "released", reason, message }
        : { kind: "refused", reason, message, patienceMs: patienceMsOf(type) };
  }
}

/** A type that fails to decide gets the benefit of the doubt: maxFails ends it. */
function shouldRetry(error: unknown, type: JobType): boolean {
  try {
    return type.shouldRetry(error);
  } catch {
    return true;
  }
}
