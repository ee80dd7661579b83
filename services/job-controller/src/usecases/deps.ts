import type { Clock } from "@drydock/shared/clock.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { HookOutbox } from "../ports/hook-outbox.ts";
import type { JobIndex } from "../ports/job-index.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { LogStore } from "../ports/log-store.ts";
import type { QueueControl } from "../ports/queue-control.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";
import type { JobTypes } from "./job-types.ts";
import type { PoolLimits } from "./pool-limits.ts";
import type { RecentCapacities } from "./recent-capacities.ts";

/** What the use cases work with; each takes what it needs of it. */
export interface UseCaseDeps {
  pool: JobPool;
  schedules: ScheduleStore;
  hooks: HookOutbox;
  /** Whether status hooks may go to link-local addresses and to the metadata services of clouds. */
  allowLinkLocalHooks: boolean;
  index: JobIndex;
  queues: QueueControl;
  logs: LogStore;
  checkpoints: CheckpointStore;
  types: JobTypes;
  dispatcher: Dispatcher;
  changes: JobChanges;
  limits: PoolLimits;
  capacities: RecentCapacities;
  clock: Clock;
}
