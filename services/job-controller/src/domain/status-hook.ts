import type { Backoff } from "@drydock/shared/backoff.ts";
import type { JobStatus } from "./job-state.ts";

/**
 * How a job's hook stands: there is none, it is still to be told something, it was told everything, something was given
 * up, or its receiver wants to hear no more. The order is that of the scripts' numbers.
 */
export const hookStatuses = ["NONE", "PENDING", "DELIVERED", "FAILED", "GONE"] as const;

/** How a job's hook stands. */
export type HookStatus = (typeof hookStatuses)[number];

/** How long an event is retried, in milliseconds. */
export const hookPatienceMs = 24 * 3_600_000;

/** How many deliveries to one host may be in flight at once, over all controllers. */
export const maxInFlightPerHost = 16;

/** The waits between the tries of an event. */
export const hookBackoff: Backoff = { baseMs: 1_000, capMs: 600_000 };

/** The host, and the port if it is not the usual one, that a hook's URL names; empty for no URL. */
export function hostOf(url: string): string {
  return URL.parse(url)?.host ?? "";
}

/** What a hook is to be told. */
export interface HookEvent {
  /** The job's revision at the time; later events have greater ones. */
  sequence: number;
  status: JobStatus;
  /** What the handler had said last, or empty. */
  checkIn: string;
  /** When it happened, or was made due again, in milliseconds since 1970. */
  at: number;
}
