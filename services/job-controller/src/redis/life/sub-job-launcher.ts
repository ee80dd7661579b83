import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { HeldLease, Job, NewJob } from "../../domain/job.ts";
import { createJobId, shardOf } from "../../domain/job-id.ts";
import { commandCode, statusCode, toJob, toOptionsArgument, toWholeJob } from "../record/job-codec.ts";
import { list, text } from "../shards/reply.ts";
import { Overtaken } from "../shards/reply-errors.ts";
import type { Reply } from "../shards/shard.ts";
import type { Shards } from "../shards/shards.ts";
import type { Hold, UniqueKeys } from "../unique/unique-keys.ts";

/** A sub-job as its parent asks for it. */
interface Wish {
  parent: HeldLease;
  key: string;
  job: NewJob;
  /** Why nothing may be launched, if so. */
  refusal: ReasonedError | undefined;
}

/** A job of another shard that the sub-job's key may stand for, as it was found there; without the job it is gone. */
interface Seen {
  id: string;
  job?: Job | undefined;
}

/** Launches sub-jobs in the shard of their parent; the job that holds their unique key may be in another one. */
export class SubJobLauncher {
  readonly #shards: Shards;
  readonly #keys: UniqueKeys;
  readonly #clock: Clock;

  constructor(shards: Shards, keys: UniqueKeys, clock: Clock) {
    this.#shards = shards;
    this.#keys = keys;
    this.#clock = clock;
  }

  /**
   * The job that the key stands for.
   * @throws ReasonedError the refusal when there is none yet
   */
  launch(wish: Wish): Promise<Job> {
    let seen: Seen = { id: "" };
    const run = async (id: string, hold: Hold) => {
      const reply = await this.#run(wish, seen, [...hold, id]);
      const [launched, dependsOnIt] = list(reply);
      if (launched === undefined) throw wish.refusal;
      if (typeof dependsOnIt !== "number") return toJob(reply);
      if (launched !== seen.id) seen = await this.#look(text(launched));
      if (seen.job === undefined || dependsOnIt === 1) throw new Overtaken(seen.id);
      return seen.job;
    };
    const newId = () => createJobId(this.#clock.now(), shardOf(wish.parent.jobId));
    const key = wish.refusal === undefined ? wish.job.options?.uniqueKey : "";
    return this.#keys.holding({ key: key ?? "", request: "", newId, run });
  }

  #run({ parent, key, job, refusal }: Wish, seen: Seen, as: [...hold: Hold, id: string]): Promise<Reply> {
    const { name, traceparent, parametersJson, options } = job;
    const { status, command } = seen.job ?? {};
    const found = [seen.id, status ? statusCode(status) : 0, command ? commandCode(command) : 0] as const;
    const full = refusal === undefined ? 0 : 1;
    const child = [full, ...as, name, traceparent, parametersJson, toOptionsArgument(options)] as const;
    const { jobId, token, incarnation } = parent;
    const shard = this.#shards.ofJob(jobId);
    return shard.run("transitions/launch-sub-job", jobId, token, incarnation, key, ...found, ...child);
  }

  async #look(id: string): Promise<Seen> {
    try {
      return { id, job: toWholeJob(await this.#shards.ofJob(id).run("operators/read", id)) };
    } catch (error) {
      if (error instanceof ReasonedError && error.reason === "JOB_NOT_FOUND") return { id };
      throw error;
    }
  }
}
