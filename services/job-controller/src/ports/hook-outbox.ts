import type { JobStatus } from "../domain/job-state.ts";
import type { HookEvent, HookStatus } from "../domain/status-hook.ts";

/** A job's next event, leased to whoever asked. */
export interface DueHook {
  jobId: string;
  url: string;
  event: HookEvent;
  /** How often it has failed so far. */
  failures: number;
  /** Nobody else delivers anything of this job until then, in milliseconds since 1970. */
  leaseEndsAt: number;
  /** The event as it is stored: identifies it. */
  stored: string;
}

/** A job whose hook could not be told something. */
export interface FailedHook {
  jobId: string;
  name: string;
  status: JobStatus;
  hookStatus: HookStatus;
  /** How many events were given up and can be sent again. */
  events: number;
  /** Why the last try failed, in a word such as "HTTP 500" or "ECONNREFUSED"; empty when it is not known. */
  cause: string;
  /** When that was, in milliseconds since 1970; 0 when it is not known. */
  causeAt: number;
}

/** How many jobs' hooks are still to be told something, and how many could not be. */
export interface HookCounts {
  waiting: number;
  failing: number;
}

/** What is to become of an event: it was taken, is tried again at a time, is given up, or the receiver is gone for good. */
export type HookSettlement = { kind: "delivered" | "failed" | "gone" } | { kind: "retry"; at: number };

/** What hooks are still to be told. Events are stored together with the changes they tell of. */
export interface HookOutbox {
  /**
   * At most so many jobs' next events, and when the next of the others is due (0 when none is known). By turns those
   * that are due the longest and the shortest, so that what piles up for one receiver does not hold up all others.
   */
  due(limit: number): Promise<{ due: DueHook[]; nextDueAt: number; more: boolean }>;
  /** @param cause why it was not delivered, in a word without secrets; empty when it was */
  settle(hook: DueHook, settlement: HookSettlement, cause: string): Promise<void>;
  /** Makes a job's failed events due again; resolves to how many they are. @throws ReasonedError JOB_NOT_FOUND */
  redeliver(jobId: string): Promise<number>;
  /** The jobs with failed events, the newest first. @param before the id of the last one seen, or empty */
  failed(before: string, limit: number): Promise<FailedHook[]>;
  counts(): Promise<HookCounts>;
}
