import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";

/** Shortest time between two log lines about one job, in milliseconds. */
const quietMs = 3_600_000;
/** How many jobs are remembered. */
const maxLogged = 1_000;

/**
 * Logs the jobs that upkeep skipped because of a fault, each at most once an hour; and faults that belong to no job, such
 * as of the totals of a call, without a job id.
 */
export class JobFaults {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #loggedAt = new Map<string, number>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  readonly log = (jobId: string, cause: string): void => {
    const now = this.#clock.now();
    if (now - (this.#loggedAt.get(jobId) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    if (this.#loggedAt.size >= maxLogged) this.#loggedAt.clear();
    this.#loggedAt.set(jobId, now);
    if (jobId === "") this.#logger.error({ cause }, "Redis did not do what comes after the jobs of a call");
    else this.#logger.warn({ job: jobId, cause }, "a job cannot be dealt with and is left out");
  };
}
