import type { Clock } from "@drydock/shared/clock.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { RedisProbe } from "../ports/redis-health.ts";
import { runWhileMore } from "./run-while-more.ts";

/** Time without a completed round after which the reaper reports a fault, in milliseconds. */
const lateMs = 10_000;

/** What the reaper needs. */
export interface ReaperDeps {
  pool: Pick<JobPool, "reap">;
  redis: Pick<RedisProbe, "up">;
  clock: Clock;
}

/** Takes back the jobs of workers whose lease has ended, and knows whether it could lately. */
export class Reaper {
  readonly #deps: ReaperDeps;
  #doneAt: number;

  constructor(deps: ReaperDeps) {
    this.#deps = deps;
    this.#doneAt = deps.clock.now();
  }

  /** One round. While Redis is away there is nothing to do: all leases are renewed once it is back. */
  async run(signal: AbortSignal): Promise<void> {
    const { pool, redis, clock } = this.#deps;
    if (redis.up) await runWhileMore(() => pool.reap(), signal);
    this.#doneAt = clock.now();
  }

  /** Why jobs of dead workers stay with them, and what to do; undefined while they are taken back. */
  get fault(): string | undefined {
    const sinceMs = this.#deps.clock.now() - this.#doneAt;
    if (sinceMs <= lateMs) return undefined;
    const seconds = Math.round(sinceMs / 1_000);
    return `jobs of dead workers were not taken back for ${seconds} s; see what the log says of the reaper, and how fast Redis answers`;
  }
}
