import type { Clock } from "@drydock/shared/clock.ts";
import type { LeaseTerms } from "../../domain/lease-terms.ts";

/**
 * Knows since when this controller has looked at the leases without a gap. A slow answer of Redis is no gap: in the same time
 * workers could renew their leases, too.
 */
export class LeaseWatch {
  readonly #terms: Pick<LeaseTerms, "unwatchedMs" | "beatMs">;
  readonly #clock: Clock;
  /** When the last look began; 0 when it does not count. */
  #begunAt = 0;
  #answeredAt = 0;

  constructor(terms: Pick<LeaseTerms, "unwatchedMs" | "beatMs">, clock: Clock) {
    this.#terms = terms;
    this.#clock = clock;
  }

  /**
   * Looks once.
   * @param run is given when the look before began, if nothing has broken the watch since; else 0
   */
  async look<T>(run: (since: number) => Promise<T>): Promise<T> {
    const { unwatchedMs, beatMs } = this.#terms;
    const begunAt = this.#clock.now();
    // a controller that stood still between two looks has stored no beats in that time
    const since = begunAt - this.#answeredAt <= unwatchedMs ? this.#begunAt : 0;
    this.#begunAt = 0;
    const answer = await run(since);
    this.#answeredAt = this.#clock.now();
    if (this.#answeredAt - begunAt <= beatMs) this.#begunAt = begunAt;
    return answer;
  }
}
