import type { Logger } from "@drydock/shared/logger.ts";
import type { Metrics } from "@drydock/shared/metrics.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { RedisProbe } from "../ports/redis-health.ts";

/** Parts of Redis' maxmemory. */
export interface ReliefTerms {
  /** Above this ended jobs are removed; below the part at which launches are refused. */
  beginPart: number;
  /** Until this. */
  endPart: number;
}

/** What the relief needs. */
export interface ReliefDeps {
  pool: Pick<JobPool, "endOfOldest" | "relieve">;
  redis: Pick<RedisProbe, "check">;
  logger: Logger;
  /** Called with how many jobs were removed. */
  onRemoved(count: number): void;
}

/** Minimum number of jobs that a step removes, if there are as many. */
const stepJobs = 100;
/** How many steps a round takes at most; the next round goes on. */
const maxSteps = 100;

const noneIsLeft =
  "redis is nearly full and no ended job is left to remove; waiting jobs, reports or another program take the rest: raise maxmemory, or shorten DRYDOCK_KEEP_REPORTS_HOURS";

/**
 * Removes the oldest ended jobs before their keep time while Redis is nearly full: what has ended must not be in the way of
 * launches. An episode lasts until there is room again; the log tells of its begin and its end, with how many jobs went.
 */
export class MemoryRelief {
  readonly #deps: ReliefDeps;
  readonly #terms: ReliefTerms;
  #episode: { removed: number; isExhausted: boolean } | undefined;

  constructor(deps: ReliefDeps, terms: ReliefTerms = { beginPart: 0.85, endPart: 0.8 }) {
    this.#deps = deps;
    this.#terms = terms;
  }

  /** Looks how full Redis is, and makes room. Resolves to how many jobs were removed. */
  async run(signal: AbortSignal): Promise<number> {
    let part = await this.#usedPart();
    if (this.#episode === undefined && part <= this.#terms.beginPart) return 0;
    const episode = this.#begin(part);
    const removedBefore = episode.removed;
    for (let step = 0; step < maxSteps && part > this.#terms.endPart && !signal.aborted; step++) {
      if (!(await this.#step(episode))) break;
      part = await this.#usedPart();
    }
    if (part <= this.#terms.endPart) this.#end(part);
    return episode.removed - removedBefore;
  }

  async #usedPart(): Promise<number> {
    const { usedMemoryBytes, maxMemoryBytes } = await this.#deps.redis.check();
    return maxMemoryBytes === 0 ? 0 : usedMemoryBytes / maxMemoryBytes;
  }

  /** Whether there may be more to remove. */
  async #step(episode: { removed: number; isExhausted: boolean }): Promise<boolean> {
    const { pool, logger, onRemoved } = this.#deps;
    const before = await pool.endOfOldest(stepJobs);
    if (before === undefined) {
      if (!episode.isExhausted) logger.warn({}, noneIsLeft);
      episode.isExhausted = true;
      return false;
    }
    const count = await pool.relieve(before);
    episode.removed += count;
    onRemoved(count);
    return true;
  }

  #begin(part: number) {
    if (this.#episode === undefined) {
      const facts = { usedMemory: percent(part) };
      this.#deps.logger.warn(facts, "redis is nearly full: the oldest ended jobs go, with their logs and reports");
      this.#episode = { removed: 0, isExhausted: false };
    }
    return this.#episode;
  }

  #end(part: number): void {
    const facts = { removed: this.#episode?.removed ?? 0, usedMemory: percent(part) };
    this.#deps.logger.info(facts, "redis has room again");
    this.#episode = undefined;
  }
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

/** The relief with its metric. */
export function createMemoryRelief(metrics: Metrics, deps: Omit<ReliefDeps, "onRemoved">): MemoryRelief {
  const removed = metrics.counter({
    name: "drydock_jobs_removed_early_total",
    help: "Ended jobs that were removed before their keep time because Redis was nearly full.",
  });
  return new MemoryRelief({ ...deps, onRemoved: (count) => removed.inc(count) });
}
