import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { Job, Lease, NewJob } from "../domain/job.ts";
import { createJobId, shardOf } from "../domain/job-id.ts";
import { isFinal } from "../domain/job-state.ts";
import { toJob, toOptionsArgument, toWholeJob } from "./job-codec.ts";
import { list, text } from "./reply.ts";
import { IdTaken, KeyReserved } from "./reply-errors.ts";
import type { Reply, Shard } from "./shard.ts";
import type { Hold, UniqueKeys } from "./unique-keys.ts";

/** A sub-job as its parent asks for it. */
interface Wish {
  parent: Lease;
  key: string;
  job: NewJob;
}

/** What is known of other shards: how the unique key stands, and a job that the sub-job's key does not stand for any more. */
interface Elsewhere {
  hold?: Hold | undefined;
  gone: string;
}

/** Launches sub-jobs in the shard of their parent; the job that holds their unique key may be in another one. */
export class SubJobLauncher {
  readonly #shards: readonly Shard[];
  readonly #keys: UniqueKeys;
  readonly #clock: Clock;

  constructor(shards: readonly Shard[], keys: UniqueKeys, clock: Clock) {
    this.#shards = shards;
    this.#keys = keys;
    this.#clock = clock;
  }

  /** The job that the key stands for. */
  async launch(wish: Wish): Promise<Job> {
    let elsewhere: Elsewhere = { gone: "" };
    for (;;) {
      const answer = await this.#ask(wish, elsewhere);
      if ("job" in answer) return answer.job;
      elsewhere = answer;
    }
  }

  /** One try: the job, or with what to try again. */
  async #ask(wish: Wish, { hold, gone }: Elsewhere): Promise<{ job: Job } | Elsewhere> {
    const id = createJobId(this.#clock.now(), shardOf(wish.parent.jobId));
    const unique = wish.job.options?.uniqueKey ?? "";
    const known = hold ?? (await this.#keys.reserve(unique, id));
    let launched = "";
    try {
      const reply = await this.#run(wish, id, gone, known);
      launched = text(list(reply)[0]);
      const former = list(reply)[1];
      return typeof former === "number" ? await this.#judge(launched, former === 1) : { job: toJob(reply) };
    } catch (error) {
      if (error instanceof IdTaken) return { gone, hold };
      if (!(error instanceof KeyReserved)) throw error;
      return { gone, hold: error.jobId === id ? undefined : await this.#keys.settle(unique, error) };
    } finally {
      if (launched !== id) await this.#keys.giveBack(unique, id, known);
    }
  }

  #run({ parent, key, job }: Wish, id: string, gone: string, hold: Hold): Promise<Reply> {
    const { name, traceparent, parametersJson, options } = job;
    const child = [id, name, traceparent, parametersJson, toOptionsArgument(options)] as const;
    return this.#of(parent.jobId).run("launch-sub-job", parent.jobId, parent.token, key, gone, ...hold, ...child);
  }

  /** A job of another shard that the key stands for: by the rule of launch-sub-job it may not do so any more. */
  async #judge(id: string, isOfFormerLife: boolean): Promise<{ job: Job } | Elsewhere> {
    const job = await this.#find(id);
    const goesOn = job !== undefined && !isFinal(job.status) && job.command === undefined;
    if (job === undefined || (isOfFormerLife && !goesOn && job.status !== "SUCCESS")) return { gone: id };
    // this life has asked for it now
    return isOfFormerLife ? { gone: id, hold: ["held", id] } : { job };
  }

  async #find(id: string): Promise<Job | undefined> {
    try {
      return toWholeJob(await this.#of(id).run("read", id));
    } catch (error) {
      if (error instanceof ReasonedError && error.reason === "JOB_NOT_FOUND") return undefined;
      throw error;
    }
  }

  #of(jobId: string): Shard {
    return this.#shards[shardOf(jobId)] as Shard;
  }
}
