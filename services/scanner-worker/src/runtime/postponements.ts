import { type Backoff, ceilingMs } from "@drydock/shared/backoff.ts";
import { maxRetryAfterMs } from "@drydock/shared/retry-after.ts";

/** Waits from 2 s to 15 s: jobs run again soon after the outside is back. */
const backoff: Backoff = { baseMs: 4_000, capMs: 15_000 };
const maxJobs = 10_000;

/** The waits of jobs that the outside failed: longer each time in a row, and at least half of the ceiling. */
export class Postponements {
  readonly #random: () => number;
  /** How often in a row each job was postponed, the least recent job first. */
  readonly #counts = new Map<string, number>();

  /** @param random gives numbers from 0 to 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /**
   * The wait of a job that is postponed once more, in milliseconds.
   * @param atLeastMs what the other side asks for; it only ever makes the wait longer, up to an hour
   */
  waitMs(jobId: string, atLeastMs: number): number {
    const count = (this.#counts.get(jobId) ?? 0) + 1;
    this.forget(jobId);
    this.#counts.set(jobId, count);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > maxJobs && oldest !== undefined) this.forget(oldest);
    const wait = Math.round(ceilingMs(backoff, count) * (0.5 + this.#random() / 2));
    return Math.max(wait, Math.min(atLeastMs, maxRetryAfterMs));
  }

  /** A run of the job ended in another way. */
  forget(jobId: string): void {
    this.#counts.delete(jobId);
  }
}
