import type { Clock } from "@drydock/shared/clock.ts";
import type { JobPool } from "../ports/job-pool.ts";

/** How long a count of the slots is good, in milliseconds: workers come and go. */
const trustMs = 1_000;

/** How many jobs of one fairness key may run at once, as a part of the slots that there are. */
export class KeyLimits {
  readonly #pool: Pick<JobPool, "slots">;
  readonly #clock: Clock;
  #slots: Promise<ReadonlyMap<string, number>> = Promise.resolve(new Map());
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(pool: Pick<JobPool, "slots">, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** At least one, so that nobody is kept out. */
  async mostOfKey(jobName: string, percent: number): Promise<number> {
    if (this.#clock.now() - this.#countedAt > trustMs) {
      this.#countedAt = this.#clock.now();
      const before = this.#slots;
      this.#slots = this.#pool.slots().catch(() => before);
    }
    const slots = (await this.#slots).get(jobName) ?? 0;
    return Math.max(1, Math.floor((slots * percent) / 100));
  }
}
