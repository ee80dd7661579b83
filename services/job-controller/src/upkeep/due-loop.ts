import type { Clock } from "@drydock/shared/clock.ts";
import { toError } from "@drydock/shared/errors.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { isPoolAway } from "../domain/pool-away.ts";

/** Longest sleep, in milliseconds: the signal of a new job may have been lost. */
const longestSleepMs = 5_000;

/** The result of a round. */
export interface DueRound {
  /** Whether it stopped at its bound with more to do. */
  more: boolean;
  /** When the next job is due, in milliseconds since 1970; 0 when none waits. */
  nextDueAt: number;
}

/** What a loop needs. */
export interface DueLoopOptions {
  name: string;
  run: () => Promise<DueRound>;
  clock: Clock;
  logger: Logger;
}

/** Runs rounds at the times when something is due, and sleeps in between. */
export class DueLoop implements Service {
  readonly name: string;
  readonly #options: DueLoopOptions;
  #timer: NodeJS.Timeout | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #round: Promise<void> = Promise.resolve();
  #isStopped = true;
  #isRunning = false;
  #hasFailed = false;

  constructor(options: DueLoopOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#isStopped = false;
    this.wakeAt(this.#options.clock.now());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#round;
  }

  /** Wakes at that time at the latest. */
  wakeAt(at: number): void {
    if (this.#isStopped || at >= this.#wakesAt) return;
    clearTimeout(this.#timer);
    this.#wakesAt = at;
    if (this.#isRunning) return;
    this.#timer = setTimeout(() => this.#run(), Math.max(0, at - this.#options.clock.now()));
  }

  #run(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY;
    this.#isRunning = true;
    this.#round = this.#runRound().then((nextDueAt) => {
      this.#isRunning = false;
      const latest = this.#options.clock.now() + longestSleepMs;
      const requested = this.#wakesAt;
      this.#wakesAt = Number.POSITIVE_INFINITY;
      this.wakeAt(Math.min(latest, requested, nextDueAt === 0 ? latest : nextDueAt));
    });
  }

  /** Runs rounds until nothing more is due; resolves to the next due time, 0 when none is known. */
  async #runRound(): Promise<number> {
    const { run, name, logger } = this.#options;
    try {
      let round = await run();
      while (round.more && !this.#isStopped) round = await run();
      this.#hasFailed = false;
      return round.nextDueAt;
    } catch (error) {
      // outages are not logged here: the connection watch logs them once
      if (!this.#hasFailed && !this.#isStopped && !isPoolAway(error)) {
        logger.error({ loop: name, err: toError(error) }, "a round failed; it is tried again every second");
        this.#hasFailed = true;
      }
      return this.#options.clock.now() + 1_000;
    }
  }
}
