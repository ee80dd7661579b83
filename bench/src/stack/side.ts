import type { ClientApi, WorkerApi } from "../processes/api.ts";
import type { BenchRedis } from "./redis.ts";
import type { Remote } from "./remote.ts";

/** One side of a comparison: its own Redis and its own processes. Both sides can do the same. */
export interface Side extends AsyncDisposable {
  readonly name: "Drydock" | "BullMQ";
  readonly redis: BenchRedis;
  readonly client: Remote<ClientApi>;
  /** A worker process that takes no jobs until its start is called. */
  readonly worker: Remote<WorkerApi>;
  /** Starts another worker process; it ends with the side, if not before. */
  addWorker(id: string): Promise<Remote<WorkerApi>>;
  /** The CPU time that the client, the worker, Redis and the controller have used, in seconds. */
  cpuSeconds(): Promise<number>;
}
