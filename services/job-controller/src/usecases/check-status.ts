import type { Clock } from "@drydock/shared/clock.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import { type TypeWait, type WorkerState, waitOf } from "../domain/worker.ts";
import type { DataFileState, DataFiles } from "../ports/exploitation-data.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { QueueControl, QueueRate, QueueState } from "../ports/queue-control.ts";
import type { RedisHealth, RedisProbe } from "../ports/redis-health.ts";
import type { ReportStoreHealth } from "../ports/report-store-health.ts";
import type { JobTypes } from "./job-types.ts";
import type { PoolFill } from "./pool-limits.ts";

/** How many workers and queues are shown at most; ListWorkers and ListQueues show all, in pages. */
const maxShown = 1_000;

/** What the status needs. */
export interface StatusDeps {
  pool: JobPool;
  queues: QueueControl;
  types: JobTypes;
  redis: RedisProbe;
  dataFiles: DataFiles;
  /** Where reports are kept, if not in Redis. */
  reportStore?: ReportStoreHealth | undefined;
  terms: LeaseTerms;
  clock: Clock;
}

/** A queue, and what its jobs wait for while none of them is run. */
export type WaitingQueue = QueueState & { waitingFor: TypeWait | undefined };

/** What the queues are read from. */
type QueueDeps = Pick<StatusDeps, "pool" | "queues" | "types">;

/** The state of the pool. */
export interface PoolStatus {
  workers: Array<WorkerState & { heartbeatAt: number | undefined }>;
  queues: WaitingQueue[];
  /** Its warnings have those of the store of reports as well. */
  redis: RedisHealth;
  dataFiles: readonly DataFileState[];
}

/** Reads the state of the pool; while Redis is away, that of Redis alone. */
export async function checkStatus(deps: StatusDeps): Promise<PoolStatus> {
  const health = withWarning(await deps.redis.check(), deps.reportStore?.cause);
  const dataFiles = deps.dataFiles.states();
  if (!health.up) return { workers: [], queues: [], redis: health, dataFiles };
  const [workers, queues] = await Promise.all([deps.pool.workers("", maxShown), listQueues(deps)]);
  return {
    workers: workers.map((worker) => ({ ...worker, heartbeatAt: heartbeatOf(worker, deps) })),
    queues: queues.slice(0, maxShown),
    redis: health,
    dataFiles,
  };
}

function withWarning(health: RedisHealth, warning: string | undefined): RedisHealth {
  return warning === undefined ? health : { ...health, warnings: [...health.warnings, warning] };
}

/** When the worker renewed its lease; undefined where the lease is so short that it may be one cut by a broken stream. */
function heartbeatOf({ leaseEndsAt }: WorkerState, { terms, clock }: StatusDeps): number | undefined {
  return leaseEndsAt - clock.now() > terms.brokenMs ? leaseEndsAt - terms.leaseMs : undefined;
}

/** How full the pool is. */
export async function measureFill({ queues, redis }: Pick<StatusDeps, "queues" | "redis">): Promise<PoolFill> {
  const [states, { usedMemoryBytes, maxMemoryBytes }] = await Promise.all([queues.queues(), redis.check()]);
  const waiting = states.reduce((sum, { pending, scheduled }) => sum + pending + scheduled, 0);
  return { waiting, usedMemoryBytes, maxMemoryBytes };
}

/** A queue, and how fast it moves. */
export type MovingQueue = WaitingQueue & QueueRate;

/** The queues of all job types, also of those that never had a job, with their rates. */
export async function listMovingQueues(deps: QueueDeps): Promise<MovingQueue[]> {
  const [queues, rates] = await Promise.all([listQueues(deps), deps.queues.rates()]);
  return queues.map((queue) => ({
    ...queue,
    ...(rates.get(queue.name) ?? { launchedPerMinute: 0, endedPerMinute: 0 }),
  }));
}

/** The queues of all job types, also of those that never had a job. */
export async function listQueues({ pool, queues, types }: QueueDeps): Promise<WaitingQueue[]> {
  await types.reload();
  const [states, capacities] = await Promise.all([queues.queues(), pool.capacities()]);
  const known = new Map(states.map((queue) => [queue.name, queue]));
  for (const { name } of types.all) {
    if (!known.has(name)) known.set(name, emptyQueue(name));
  }
  const all = [...known.values()].sort((a, b) => a.name.localeCompare(b.name));
  return all.map((queue) => {
    const hasJobs = queue.pending + queue.scheduled > 0;
    const standing = { capacity: capacities.get(queue.name), isPaused: queue.paused };
    return { ...queue, waitingFor: hasJobs ? waitOf(queue.name, standing) : undefined };
  });
}

function emptyQueue(name: string): QueueState {
  return { name, pending: 0, running: 0, scheduled: 0, paused: false, oldestAt: 0, lanes: 0 };
}
