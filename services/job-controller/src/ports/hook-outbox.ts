import type { JobStatus } from "../domain/job-state.ts";
import type { HookEvent, HookStatus } from "../domain/status-hook.ts";

/** A job's next event, leased to the caller. */
export interface DueHook {
  jobId: string;
  url: string;
  event: HookEvent;
  /** How often it has failed so far. */
  failures: number;
  /** End of the lease, in milliseconds since 1970: until then nobody else sends events of this job. */
  leaseEndsAt: number;
  /** The event as it is stored: identifies it. */
  stored: string;
  /** Whether the host answers slowly, or has not answered since its first event was sent. */
  isHostSlow: boolean;
}

/** A job whose hook failed: its next event is retried, or events were given up. */
export interface FailedHook {
  jobId: string;
  name: string;
  status: JobStatus;
  hookStatus: HookStatus;
  /** The host that is called. */
  host: string;
  /** How many events were given up and can be sent again. */
  events: number;
  /** How often the event that is sent next has failed; 0 when nothing is retried. */
  tries: number;
  /** When that event is tried again; while it is in flight, the end of its lease; 0 when nothing is retried. */
  nextTryAt: number;
  /** Why the last try failed, in a word such as "HTTP 500" or "ECONNREFUSED"; empty when it is not known. */
  cause: string;
  /** When that was, in milliseconds since 1970; 0 when it is not known. */
  causeAt: number;
}

/** How many jobs have an event that waits, one that is retried after a failure, or a hook that failed in any way. */
export interface HookCounts {
  waiting: number;
  retrying: number;
  failing: number;
}

/** The outcome of a delivery: delivered, retried at a time, given up, or the receiver is gone for good. */
export type HookSettlement = { kind: "delivered" | "failed" | "gone" } | { kind: "retry"; at: number };

/** The events that hooks have not been sent yet. An event is stored in one step with its change of the job. */
export interface HookOutbox {
  /**
   * Leases the next events of jobs, host by host, and resolves to when the next of the others is due: 0 when none is known, and
   * without the hosts for which the limit is used up. No host has more than maxInFlightPerHost leases; a new one has one.
   * @param limit how many events for hosts that are new or answer quickly, at most
   * @param slowLimit how many for other hosts. Default: the same
   */
  due(limit: number, slowLimit?: number): Promise<{ due: DueHook[]; nextDueAt: number }>;
  /**
   * Notes the outcome of a delivery.
   * @param cause why it was not delivered, in a word without secrets; empty when it was
   * @param isSlow whether the answer took long. Default: no
   */
  settle(hook: DueHook, settlement: HookSettlement, cause: string, isSlow?: boolean): Promise<void>;
  /**
   * Makes a job's failed events due again, and an event that waits for its next try; resolves to how many were failed ones.
   * @throws ReasonedError JOB_NOT_FOUND
   */
  redeliver(jobId: string): Promise<number>;
  /** The jobs whose hook failed, the newest first. @param before the id of the last one seen, or empty */
  failed(before: string, limit: number): Promise<FailedHook[]>;
  counts(): Promise<HookCounts>;
}
