import { hash } from "node:crypto";
import { shardOf } from "../../domain/job-id.ts";
import { jobNotFound } from "./reply-errors.ts";
import type { Shard } from "./shard.ts";

/** All shards of the pool, in the order of their numbers; at least one. */
export class Shards implements Iterable<Shard> {
  readonly #all: readonly Shard[];

  /** @param create makes the shard of a number, from 0 to count - 1 */
  constructor(count: number, create: (number: number) => Shard) {
    this.#all = Array.from({ length: count }, (_, number) => create(number));
  }

  get count(): number {
    return this.#all.length;
  }

  /** Shard 0, which also keeps what exists once for the whole pool. */
  get first(): Shard {
    return this.at(0);
  }

  /** @throws RangeError when there is no shard of that number */
  at(number: number): Shard {
    const shard = this.#all[number];
    if (shard === undefined) throw new RangeError(`there is no shard ${number}, only ${this.count} from 0`);
    return shard;
  }

  /**
   * The shard that the job's id names.
   * @throws ReasonedError JOB_NOT_FOUND when there is no such shard
   */
  ofJob(jobId: string): Shard {
    const shard = this.#all[shardOf(jobId)];
    if (shard === undefined) throw jobNotFound(jobId);
    return shard;
  }

  /** The shard that a unique key, a request, a job type or a digest falls to. */
  ofKey(key: string): Shard {
    return this.at(shardOfKey(key, this.count));
  }

  /** Runs it on all shards at once; the results are in the order of the shards. */
  all<T>(run: (shard: Shard) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#all.map((shard) => run(shard)));
  }

  [Symbol.iterator](): Iterator<Shard> {
    return this.#all[Symbol.iterator]();
  }
}

/** The number of the shard that a key falls to, of `count` shards. */
export function shardOfKey(key: string, shards: number): number {
  return hash("sha256", key, "buffer").readUInt32BE(0) % shards;
}
