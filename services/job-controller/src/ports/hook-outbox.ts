import type { HookEvent } from "../domain/status-hook.ts";

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

/** What is to become of an event: it was taken, is tried again at a time, is given up, or the receiver is gone for good. */
export type HookSettlement = { kind: "delivered" | "failed" | "gone" } | { kind: "retry"; at: number };

/** What hooks are still to be told. Events are stored together with the changes they tell of. */
export interface HookOutbox {
  /** At most so many jobs' next events, and when the next of the others is due (0 when none is known). */
  due(limit: number): Promise<{ due: DueHook[]; nextDueAt: number; more: boolean }>;
  settle(hook: DueHook, settlement: HookSettlement): Promise<void>;
  /** Makes a job's failed events due again; resolves to how many they are. @throws ReasonedError JOB_NOT_FOUND */
  redeliver(jobId: string): Promise<number>;
}
