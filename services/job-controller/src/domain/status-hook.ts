import type { Backoff } from "@drydock/shared/backoff.ts";
import type { JobStatus } from "./job-state.ts";

/**
 * The status of a job's hook: the job has none, events wait, all were delivered, some were given up, or the receiver
 * answered 410. The order is that of the scripts' numbers.
 */
export const hookStatuses = ["NONE", "PENDING", "DELIVERED", "FAILED", "GONE"] as const;

/** The status of a job's hook. */
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

/** A change of a job that its hook is sent. */
export interface HookEvent {
  /** The job's revision at the time; later events have greater ones. */
  sequence: number;
  status: JobStatus;
  /** The latest check-in at that time, or empty. */
  checkIn: string;
  /** When it happened, or was made due again, in milliseconds since 1970. */
  at: number;
}
