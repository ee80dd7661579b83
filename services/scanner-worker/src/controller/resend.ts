import { sleep } from "@drydock/shared/abort.ts";
import { backoffMs } from "@drydock/shared/backoff.ts";
import { type RpcError, toRpcError } from "@drydock/shared/grpc/client.ts";
import { JobFailure } from "../domain/job-failure.ts";
import { LeaseLost } from "../ports/job-services.ts";
import type { Lease } from "../ports/job-source.ts";

const backoff = { baseMs: 100, capMs: 5000 };
/** The controller, or the way to it, is away for now. */
const passingCodes: readonly string[] = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"];
/** The controller understood and refused. */
const finalCodes: readonly string[] = [
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "UNIMPLEMENTED",
];

/**
 * Calls the controller on behalf of a job, again and again while it is away.
 * @throws LeaseLost, JobFailure when the controller refuses, the signal's reason when it aborts
 */
export async function resend<T>(lease: Lease, call: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    signal.throwIfAborted();
    let error: RpcError;
    try {
      return await call();
    } catch (thrown) {
      signal.throwIfAborted();
      error = toRpcError(thrown);
    }
    if (error.reason === "LEASE_LOST") throw new LeaseLost(lease);
    if (!isPassing(error)) throw toFailure(error);
    await sleep(waitMs(failures, error), signal);
  }
}

/** Whether the same call may be answered well later. */
export function isPassing({ code, retryAfterMs }: RpcError): boolean {
  return passingCodes.includes(code) || retryAfterMs !== undefined;
}

/** How long to wait before the same call, in milliseconds. */
export function waitMs(failures: number, { retryAfterMs = 0 }: Pick<RpcError, "retryAfterMs">): number {
  return Math.max(backoffMs(backoff, failures), retryAfterMs);
}

/** The job's failure because the controller refuses what it asks for. */
export function toFailure(error: RpcError): JobFailure {
  const retryable = !finalCodes.includes(error.code);
  return new JobFailure(error.reason ?? error.code, error.message, { retryable, cause: error });
}
