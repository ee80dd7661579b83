import type { Clock } from "@drydock/shared/clock.ts";
import type { ReasonedError } from "@drydock/shared/errors.ts";
import { type Job, type LaunchOptions, type NewJob, usualOptions } from "../../domain/job.ts";
import { createJobId } from "../../domain/job-id.ts";
import { newlyLaunched } from "../../domain/new-job.ts";
import { toJob, toOptionsArgument } from "../record/job-codec.ts";
import { list, text } from "../shards/reply.ts";
import type { Shard } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import type { Hold, UniqueKeys } from "../unique/unique-keys.ts";

/** Launches jobs, each in the shard in which it is looked for when it is asked for again. */
export class JobLauncher {
  readonly #shards: Shards;
  readonly #keys: UniqueKeys;
  readonly #clock: Clock;
  #nextShard = 0;

  constructor(shards: Shards, keys: UniqueKeys, clock: Clock) {
    this.#shards = shards;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * The job that the request launched before, or a new one.
   * @throws ReasonedError the refusal, if there is one, instead of a new job
   */
  async launch(job: NewJob, refusal: ReasonedError | undefined): Promise<Job> {
    const { name, traceparent, parametersJson, options = usualOptions } = job;
    const { uniqueKey, requestKey: request } = options;
    if (refusal !== undefined && request === "") throw refusal;
    const shard = this.#shardFor(options);
    const run = async (newId: string, hold: Hold) => {
      const given = [name, traceparent, parametersJson, toOptionsArgument(options)] as const;
      const reply = await shard.run("transitions/launch", newId, refusal === undefined ? 0 : 1, ...hold, ...given);
      const [id, now] = list(reply);
      if (id === undefined) throw refusal;
      return typeof now === "number" ? newlyLaunched(text(id), now, "", job) : toJob(reply);
    };
    const newId = () => createJobId(this.#clock.now(), shard.number);
    return this.#keys.holding({ key: refusal === undefined ? uniqueKey : "", request, newId, run });
  }

  /**
   * Launches of a request find each other in the shard that it falls to, those of a unique key, if they can, in that of
   * their key; the others go to one after the other.
   */
  #shardFor({ uniqueKey, requestKey }: LaunchOptions): Shard {
    const key = requestKey || uniqueKey;
    if (this.#shards.count === 1 || key === "") return this.#shards.at(this.#nextShard++ % this.#shards.count);
    return this.#shards.ofKey(key);
  }
}
