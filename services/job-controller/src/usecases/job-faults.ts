import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";

/** So long nothing more is said of a job, in milliseconds. */
const quietMs = 3_600_000;
/** So many jobs are remembered. */
const mostTold = 1_000;

/**
 * Tells operators of jobs that upkeep could not deal with and left out, of each once an hour, however often it is met; and,
 * without a job id, of what else a call could not do, such as its totals.
 */
export class JobFaults {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #toldAt = new Map<string, number>();

  constructor(logger: Logger, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  readonly tell = (jobId: string, cause: string): void => {
    const now = this.#clock.now();
    if (now - (this.#toldAt.get(jobId) ?? Number.NEGATIVE_INFINITY) < quietMs) return;
    if (this.#toldAt.size >= mostTold) this.#toldAt.clear();
    this.#toldAt.set(jobId, now);
    if (jobId === "") this.#logger.error({ cause }, "Redis did not do what comes after the jobs of a call");
    else this.#logger.warn({ job: jobId, cause }, "a job cannot be dealt with and is left out");
  };
}
