import type { Clock } from "@drydock/shared/clock.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { JobPool, UpkeepReport } from "../ports/job-pool.ts";
import type { RedisProbe } from "../ports/redis-health.ts";

/** What the reaper needs. */
export interface ReaperDeps {
  pool: JobPool;
  redis: RedisProbe;
  terms: LeaseTerms;
  clock: Clock;
}

/**
 * Takes back the jobs of workers whose lease has ended. After a start or an outage of Redis it waits one lease first:
 * nobody could renew in the meantime, and what is healthy must not run twice.
 */
export async function reap({ pool, redis, terms, clock }: ReaperDeps): Promise<UpkeepReport> {
  if (!redis.up || clock.now() - redis.backSince < terms.leaseMs) return { count: 0, more: false };
  return pool.reap();
}
