import { oneLine } from "@drydock/shared/plain-text.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { JobPostponed } from "../domain/job-postponed.ts";
import type { JobType } from "../ports/job.ts";
import type { Outcome } from "../ports/job-source.ts";
import { cutBytes } from "./text.ts";

const maxMessageBytes = 1024;

/** What is reported when a handler throws. */
export function outcomeOfThrown(error: unknown, type: JobType): Outcome {
  if (error instanceof JobPostponed) {
    const reason = cutBytes(oneLine(error.message), maxMessageBytes);
    return { kind: "postponed", reason, afterMs: error.afterMs };
  }
  if (error instanceof JobFailure) {
    return {
      kind: "failure",
      reason: error.reason,
      message: cutBytes(error.message, maxMessageBytes),
      retryable: error.retryable && shouldRetry(error, type),
      retryAfterMs: error.retryAfterMs,
    };
  }
  return {
    kind: "failure",
    reason: "HANDLER_ERROR",
    message: cutBytes(messageOf(error), maxMessageBytes),
    retryable: shouldRetry(error, type),
    retryAfterMs: undefined,
  };
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message || error.name : String(error);
  } catch {
    return "the handler threw something that can't be shown";
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
