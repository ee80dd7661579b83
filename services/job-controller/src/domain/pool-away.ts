import { ReasonedError } from "@drydock/shared/errors.ts";

/**
 * Whether the pool could not be asked: Redis does not answer, or holds a pool of another format. Such an error is
 * not about the job, the worker or the lease, so it ends none of them.
 */
export function isPoolAway(error: unknown): boolean {
  if (!(error instanceof ReasonedError)) return false;
  return error.reason === "REDIS_UNAVAILABLE" || error.reason === "POOL_FORMAT_MISMATCH";
}

/** Whether the store of reports could not be asked, likewise. */
export function isReportStoreAway(error: unknown): boolean {
  return error instanceof ReasonedError && error.reason === "REPORT_STORE_UNAVAILABLE";
}
