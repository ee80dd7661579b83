import type { JobPool, UpkeepReport } from "../ports/job-pool.ts";
import type { RedisProbe } from "../ports/redis-health.ts";

/** What the reaper needs. */
export interface ReaperDeps {
  pool: JobPool;
  redis: RedisProbe;
}

/**
 * Takes back the jobs of workers whose lease has ended. After a start or an outage of Redis every worker is first given
 * a whole lease: nobody could renew in the meantime, and what is healthy must not run twice.
 */
export function createReaper({ pool, redis }: ReaperDeps): () => Promise<UpkeepReport> {
  let grantedSince = Number.NaN;
  return async () => {
    const { up, backSince } = redis;
    if (!up) return { count: 0, more: false };
    if (grantedSince !== backSince) {
      await pool.grantLeases();
      grantedSince = backSince;
    }
    return pool.reap();
  };
}
