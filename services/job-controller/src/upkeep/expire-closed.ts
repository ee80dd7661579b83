import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { outOfPatienceBefore } from "../domain/worker.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { QueueControl } from "../ports/queue-control.ts";

/** What ends the wait for closed types needs. */
export interface ExpireClosedDeps {
  pool: Pick<JobPool, "capacities">;
  queues: Pick<QueueControl, "expire">;
  clock: Clock;
  logger: Logger;
}

/** Ends jobs that waited for longer than their type's patience because every worker had closed the type for as long. */
export async function expireClosed({ pool, queues, clock, logger }: ExpireClosedDeps, signal: AbortSignal) {
  for (const [jobName, capacity] of await pool.capacities()) {
    const before = outOfPatienceBefore(capacity, clock.now());
    const [longest] = capacity.closed;
    if (before === undefined || longest === undefined) continue;
    const { reason, message } = longest;
    const count = await queues.expire(jobName, { before, reason, message }, signal);
    if (count > 0) logger.warn({ jobName, count, reason, cause: message }, "jobs are out of patience, and in ERROR");
  }
}
