import { toError } from "@drydock/shared/errors.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { JobChanges } from "./job-changes.ts";
import type { RecentCapacities } from "./recent-capacities.ts";
import { JobWatch, WatchedJob } from "./watched-job.ts";

/** How often each job is looked at for changes that other controllers made, in milliseconds; seldomer when many are watched. */
const lookMs = 500;
/** A look at all of them is divided into so many parts. */
const parts = 10;
/** How many jobs are looked at in one part, at most: 2,000 a second. */
const maxLooks = 100;

/** What watching needs. */
export interface WatchedJobsDeps {
  pool: Pick<JobPool, "peek">;
  capacities: Pick<RecentCapacities, "show">;
  changes: JobChanges;
}

/** The jobs that are watched. What watching costs when nothing changes depends on their number, and not on the watchers'. */
export class WatchedJobs {
  readonly #deps: WatchedJobsDeps;
  /** The one that was looked at longest ago is the first. */
  readonly #jobs = new Map<string, WatchedJob>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: WatchedJobsDeps) {
    this.#deps = deps;
  }

  /** Watches the job until the signal aborts, or for the time of the function. */
  async *watch<Item>(
    jobId: string,
    signal: AbortSignal,
    tell: (watch: JobWatch) => AsyncIterable<Item>,
  ): AsyncGenerator<Item> {
    signal.throwIfAborted();
    const watched = this.#jobs.get(jobId) ?? this.#add(jobId);
    const watch = new JobWatch(watched);
    const abort = () => watch.end(toError(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    try {
      yield* tell(watch);
    } finally {
      signal.removeEventListener("abort", abort);
      watched.remove(watch);
      if (!watched.isWatched && this.#jobs.get(jobId) === watched) this.#remove(jobId);
    }
  }

  #add(jobId: string): WatchedJob {
    const { pool, capacities, changes } = this.#deps;
    const watched = new WatchedJob(async () => capacities.show(await pool.peek(jobId)));
    this.#jobs.set(jobId, watched);
    changes.follow(jobId, () => watched.mayHaveChanged());
    this.#timer ??= setInterval(() => this.#look(), lookMs / parts).unref();
    return watched;
  }

  #remove(jobId: string): void {
    this.#jobs.delete(jobId);
    this.#deps.changes.forget(jobId);
    if (this.#jobs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    let left = Math.min(maxLooks, Math.ceil(this.#jobs.size / parts));
    for (const [jobId, watched] of this.#jobs) {
      if (left-- === 0) break;
      this.#jobs.delete(jobId);
      this.#jobs.set(jobId, watched);
      watched.mayHaveChanged();
    }
  }
}
