import type { Clock } from "@drydock/shared/clock.ts";
import type { TypeCapacity } from "../domain/worker.ts";
import type { JobPool } from "../ports/job-pool.ts";

/** How long a count of the slots is good, in milliseconds: workers come and go. */
const trustMs = 1_000;

/** How many jobs of one fairness key may run at once, as a part of the slots that there are. */
export class KeyLimits {
  readonly #pool: Pick<JobPool, "capacities">;
  readonly #clock: Clock;
  #capacities: Promise<ReadonlyMap<string, TypeCapacity>> = Promise.resolve(new Map());
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(pool: Pick<JobPool, "capacities">, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** At least one, so that nobody is kept out. */
  async mostOfKey(jobName: string, percent: number): Promise<number> {
    if (this.#clock.now() - this.#countedAt > trustMs) {
      this.#countedAt = this.#clock.now();
      const before = this.#capacities;
      this.#capacities = this.#pool.capacities().catch(() => before);
    }
    const { slots = 0 } = (await this.#capacities).get(jobName) ?? {};
    return Math.max(1, Math.floor((slots * percent) / 100));
  }
}
