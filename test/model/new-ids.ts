import type { Shards } from "@drydock/job-controller/redis/shards/shards.ts";

/** Where an operation that launches names the id of the new job, among its arguments. */
const placeOfId: Readonly<Record<string, number>> = {
  "transitions/launch": 0,
  "transitions/launch-sub-job": 10,
  "schedule/fire": 2,
};

/**
 * The ids that the controller proposes for new jobs. They are made by chance, so the model learns them on their way to
 * Redis; what Redis answers it does not learn.
 */
export class NewIds {
  #last = "";
  /** Periodic job -> the id of the job that was proposed for its due time. */
  readonly #ofPeriodic = new Map<string, string>();

  /** Listens to what is asked of the shards. */
  constructor(shards: Shards) {
    for (const shard of shards) {
      const run = Object.getPrototypeOf(shard).run as typeof shard.run;
      shard.run = (operation, ...given) => {
        this.#note(operation, given.map(String));
        return run.call(shard, operation, ...given);
      };
    }
  }

  /** The id that was proposed last; empty when none was. */
  get last(): string {
    return this.#last;
  }

  /** The id that was proposed last for what that periodic job launches. */
  ofPeriodic(jobId: string): string {
    return this.#ofPeriodic.get(jobId) ?? "";
  }

  /** Another command begins. */
  forget(): void {
    this.#last = "";
    this.#ofPeriodic.clear();
  }

  #note(operation: string, given: string[]): void {
    const id = given[placeOfId[operation] ?? given.length];
    if (id === undefined) return;
    this.#last = id;
    if (operation === "schedule/fire") this.#ofPeriodic.set(given[0] ?? "", id);
  }
}
