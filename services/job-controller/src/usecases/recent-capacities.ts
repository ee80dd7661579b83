import type { Clock } from "@drydock/shared/clock.ts";
import type { Job } from "../domain/job.ts";
import { mostOfKey, type TypeCapacity, type TypeWait, waitOf } from "../domain/worker.ts";
import type { JobPool } from "../ports/job-pool.ts";

/** How long what was read is good, in milliseconds: workers come and go. */
const trustMs = 1_000;

/** A job, and what it waits for while every worker that knows its type takes none of it. */
export type ShownJob = Job & { waitingFor?: TypeWait | undefined };

/** How the workers stood to the job types a moment ago: for those who ask often. */
export class RecentCapacities {
  readonly #pool: Pick<JobPool, "capacities">;
  readonly #clock: Clock;
  #capacities: Promise<ReadonlyMap<string, TypeCapacity>> = Promise.resolve(new Map());
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(pool: Pick<JobPool, "capacities">, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** By job type. */
  read(): Promise<ReadonlyMap<string, TypeCapacity>> {
    if (this.#clock.now() - this.#readAt > trustMs) {
      this.#readAt = this.#clock.now();
      const before = this.#capacities;
      this.#capacities = this.#pool.capacities().catch(() => before);
    }
    return this.#capacities;
  }

  /** How many jobs of one fairness key may run at once, by the part of the slots that there are. */
  async mostOfKey(jobName: string, percent: number): Promise<number> {
    return mostOfKey((await this.read()).get(jobName), percent);
  }

  /** The job as it is shown. */
  async show(job: Job): Promise<ShownJob> {
    return job.status === "PENDING" ? showJob(job, await this.read()) : job;
  }
}

/** The job as it is shown when its workers stand so. */
export function showJob(job: Job, capacities: ReadonlyMap<string, TypeCapacity>): ShownJob {
  const waitingFor = job.status === "PENDING" ? waitOf(capacities.get(job.name)) : undefined;
  return waitingFor === undefined ? job : { ...job, waitingFor };
}
