import type { Clock } from "@drydock/shared/clock.ts";
import type { Job } from "../domain/job.ts";
import { maxOfKey, type TypeCapacity, type TypeWait, waitOf } from "../domain/worker.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { QueueControl } from "../ports/queue-control.ts";

/** How long what was read is good, in milliseconds: workers come and go. */
const trustMs = 1_000;

/** A job, and what it waits for while no job of its type is run. */
export type ShownJob = Job & { waitingFor?: TypeWait | undefined };

/** How workers and operators stand to the job types. */
export interface Capacities {
  /** By job type. */
  types: ReadonlyMap<string, TypeCapacity>;
  /** The job types whose queue is paused. */
  paused: ReadonlySet<string>;
}

/** What the capacities are read from. */
interface CapacityDeps {
  pool: Pick<JobPool, "capacities">;
  queues: Pick<QueueControl, "paused">;
  clock: Clock;
}

/** How workers and operators stood to the job types a moment ago: for those who ask often. */
export class RecentCapacities {
  readonly #deps: CapacityDeps;
  #capacities: Promise<Capacities | undefined> = Promise.resolve(undefined);
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(deps: CapacityDeps) {
    this.#deps = deps;
  }

  /** Undefined while they could not be read yet. */
  read(): Promise<Capacities | undefined> {
    const { pool, queues, clock } = this.#deps;
    if (clock.now() - this.#readAt > trustMs) {
      this.#readAt = clock.now();
      const before = this.#capacities;
      this.#capacities = Promise.all([pool.capacities(), queues.paused()]).then(
        ([types, paused]) => ({ types, paused }),
        () => before,
      );
    }
    return this.#capacities;
  }

  /** How many jobs of one fairness key may run at once, by the part of the slots that there are. */
  async maxOfKey(jobName: string, percent: number): Promise<number> {
    return maxOfKey((await this.read())?.types.get(jobName), percent);
  }

  /** The job as it is shown. */
  async show(job: Job): Promise<ShownJob> {
    return job.status === "PENDING" ? showJob(job, await this.read()) : job;
  }
}

/** The job as it is shown with these capacities. */
export function showJob(job: Job, capacities: Capacities | undefined): ShownJob {
  if (job.status !== "PENDING" || capacities === undefined) return job;
  const { types, paused } = capacities;
  const waitingFor = waitOf(job.name, { capacity: types.get(job.name), isPaused: paused.has(job.name) });
  return waitingFor === undefined ? job : { ...job, waitingFor };
}
