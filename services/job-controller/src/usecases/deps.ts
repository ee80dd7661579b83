import type { JobPool } from "../ports/job-pool.ts";
import type { LogStore } from "../ports/log-store.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JobChanges } from "./job-changes.ts";
import type { JobTypes } from "./job-types.ts";

/** What the use cases work with; each takes what it needs of it. */
export interface UseCaseDeps {
  pool: JobPool;
  logs: LogStore;
  types: JobTypes;
  dispatcher: Dispatcher;
  changes: JobChanges;
}
