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
  /** When the first event is due, or its delivery lasts until then; undefined when there is none. */
  dueAt: number | undefined;
  failures: number;
  redeliveredAt: number;
  isGone: boolean;
  /** The status that was told last. */
  told: JobStatus | undefined;
  count: number;
}

/** The hook of a job that has just been launched with one. */
export function newModelHook(): ModelHook {
  const [events, failed] = [[], []];
  return { events, failed, dueAt: undefined, failures: 0, redeliveredAt: 0, isGone: false, told: undefined, count: 0 };
}

/** How a job's hook stands. */
export function hookStatusOf(hook: ModelHook | undefined): HookStatus {
  if (hook === undefined) return "NONE";
  if (hook.isGone) return "GONE";
  if (hook.failed.length > 0) return "FAILED";
  return hook.events.length > 0 ? "PENDING" : "DELIVERED";
}
