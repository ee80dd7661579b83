import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { WorkerState } from "../domain/worker.ts";
import type { JobPool, QueueCounts } from "../ports/job-pool.ts";
import type { RedisHealth, RedisProbe } from "../ports/redis-health.ts";
import type { JobTypes } from "./job-types.ts";

/** What the status needs. */
export interface StatusDeps {
  pool: JobPool;
  types: JobTypes;
  redis: RedisProbe;
  terms: LeaseTerms;
}

/** How the pool is. */
export interface PoolStatus {
  workers: Array<WorkerState & { heartbeatAt: number }>;
  queues: QueueCounts[];
  redis: RedisHealth;
}

/** Tells how the pool is. While Redis is away it tells just that. */
export async function checkStatus({ pool, types, redis, terms }: StatusDeps): Promise<PoolStatus> {
  const health = await redis.check();
  if (!health.up) return { workers: [], queues: [], redis: health };
  await types.reload();
  const [workers, counts] = await Promise.all([pool.workers(), pool.queues()]);
  const queues = new Map(counts.map((queue) => [queue.name, queue]));
  for (const name of types.names) {
    if (!queues.has(name)) queues.set(name, { name, pending: 0, running: 0, scheduled: 0 });
  }
  return {
    workers: workers.map((worker) => ({ ...worker, heartbeatAt: worker.leaseEndsAt - terms.leaseMs })),
    queues: [...queues.values()].sort((a, b) => a.name.localeCompare(b.name)),
    redis: health,
  };
}
