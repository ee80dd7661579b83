import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { outOfPatienceBefore, type TypeCapacity } from "../domain/worker.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { QueueControl } from "../ports/queue-control.ts";

/** What ends the wait for closed types needs. */
export interface ClosedTypeExpirerDeps {
  pool: Pick<JobPool, "capacities">;
  queues: Pick<QueueControl, "expire">;
  clock: Clock;
  logger: Logger;
  /**
   * How long every worker must have been seen to have a type closed, in milliseconds. In this time a worker that would run
   * its jobs can come back from a restart. Default: 300,000.
   */
  settleMs?: number;
}

/** Ends jobs that waited for longer than their type's patience because every worker had closed the type for as long. */
export class ClosedTypeExpirer {
  readonly #deps: ClosedTypeExpirerDeps;
  /** Since when each type was closed at every look. */
  #seenClosedSince = new Map<string, number>();

  constructor(deps: ClosedTypeExpirerDeps) {
    this.#deps = deps;
  }

  /** Looks once; to be called again and again. */
  async run(signal: AbortSignal): Promise<void> {
    const { pool, clock } = this.#deps;
    const capacities = await pool.capacities();
    const seenClosedSince = new Map<string, number>();
    for (const [jobName, { workers, closed }] of capacities) {
      if (closed.length < workers) continue;
      seenClosedSince.set(jobName, this.#seenClosedSince.get(jobName) ?? clock.now());
    }
    this.#seenClosedSince = seenClosedSince;
    for (const [jobName, since] of seenClosedSince) await this.#expire(jobName, since, capacities.get(jobName), signal);
  }

  async #expire(jobName: string, since: number, capacity: TypeCapacity | undefined, signal: AbortSignal) {
    const { queues, clock, logger, settleMs = 300_000 } = this.#deps;
    const now = clock.now();
    if (capacity === undefined || now - since < settleMs) return;
    const end = outOfPatienceBefore(capacity, now);
    if (end === undefined) return;
    const { before, longest } = end;
    const { reason, message } = longest;
    const count = await queues.expire(jobName, { before, reason, message }, signal);
    if (count > 0) logger.warn({ jobName, count, reason, cause: message }, "jobs are out of patience, and in ERROR");
  }
}
