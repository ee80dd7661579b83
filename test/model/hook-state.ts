import type { JobStatus } from "@drydock/job-controller/domain/job-state.ts";
import type { HookStatus } from "@drydock/job-controller/domain/status-hook.ts";

/** What a job's hook is to be told; its number is only the model's. */
export interface ModelEvent {
  number: number;
  status: JobStatus;
  checkIn: string;
  at: number;
  isCheckIn: boolean;
}

/** What a job's hook was and is to be told. */
export interface ModelHook {
  /** In their order, the oldest first. */
  events: ModelEvent[];
  /** Events that were given up. */
  failed: ModelEvent[];
  /** From when on the first event may be told, and from when on it must be. */
  due: { from: number; by: number };
  /** Until when the newest delivery is nobody else's; 0 when none is under way. */
  leaseEndsAt: number;
  /** How often the first event may have failed: making it due again may count anew. */
  failures: number[];
  /** When failed events were last made due again, if that may have been noted. */
  redeliveredAt: number[];
  isGone: boolean;
  /** The status that was told last. */
  lastStatus: JobStatus | undefined;
  count: number;
}

/** The hook of a job that has just been launched with one. */
export function newModelHook(): ModelHook {
  const [events, failed] = [[], []];
  const times = { due: { from: 0, by: 0 }, leaseEndsAt: 0, failures: [0], redeliveredAt: [0] };
  return { events, failed, ...times, isGone: false, lastStatus: undefined, count: 0 };
}

/** How a job's hook stands. */
export function hookStatusOf(hook: ModelHook | undefined): HookStatus {
  if (hook === undefined) return "NONE";
  if (hook.isGone) return "GONE";
  if (hook.failed.length > 0) return "FAILED";
  return hook.events.length > 0 ? "PENDING" : "DELIVERED";
}
