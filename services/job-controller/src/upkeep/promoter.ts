import type { Clock } from "@drydock/shared/clock.ts";
import { toError } from "@drydock/shared/errors.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { JobPool } from "../ports/job-pool.ts";

/** How long the promoter sleeps at most, in milliseconds: it may not have heard of a job. */
const longestSleepMs = 5_000;

/** What the promoter needs. */
export interface PromoterDeps {
  pool: JobPool;
  clock: Clock;
  logger: Logger;
}

/** Makes due jobs PENDING at their time: it sleeps until the next one is due. */
export class Promoter implements Service {
  readonly name = "promoter";
  readonly #deps: PromoterDeps;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #round: Promise<void> = Promise.resolve();
  #isStopped = true;
  #hasFailed = false;

  constructor(deps: PromoterDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    this.wakeAt(this.#deps.clock.now());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** A job is due then: wakes in time. */
  wakeAt(at: number): void {
    if (this.#isStopped || at >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, at - this.#deps.clock.now()));
  }

  #run(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const latest = this.#deps.clock.now() + longestSleepMs;
    this.#round = this.#promote().then((nextDueAt) => {
      this.wakeAt(nextDueAt === 0 ? latest : Math.min(latest, nextDueAt));
    });
  }

  /** Promotes all that is due; resolves to when the next job is due, 0 when none is known. */
  async #promote(): Promise<number> {
    const { pool, logger } = this.#deps;
    try {
      let report = await pool.promote();
      while (report.more && !this.#isStopped) report = await pool.promote();
      this.#hasFailed = false;
      return report.nextDueAt;
    } catch (error) {
      if (!this.#hasFailed) logger.warn({ cause: toError(error).message }, "due jobs can't be promoted");
      this.#hasFailed = true;
      return 0;
    }
  }
}
