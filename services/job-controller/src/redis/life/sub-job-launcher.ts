import type { Clock } from "@drydock/shared/clock.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { type HeldLease, type Job, type NewJob, usualOptions } from "../../domain/job.ts";
import { createJobId, shardOf } from "../../domain/job-id.ts";
import { newlyLaunched } from "../../domain/new-job.ts";
import { commandCode, statusCode, toJob, toOptionsArgument, toWholeJob } from "../record/job-codec.ts";
import type { Reply } from "../shards/reply.ts";
import { list, text } from "../shards/reply.ts";
import { Overtaken } from "../shards/reply-errors.ts";
import type { Shards } from "../shards/shards.ts";
import type { Hold, UniqueKeys } from "../unique/unique-keys.ts";

/** A sub-job as its parent asks for it. */
interface SubJobRequest {
  parent: HeldLease;
  key: string;
  job: NewJob;
  /** Why no new job may be launched; undefined when one may. */
  refusal: ReasonedError | undefined;
}

/** A job of another shard that the sub-job's key may stand for, as it was read there; without `job` it has been removed. */
interface ReadJob {
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
  launch(request: SubJobRequest): Promise<Job> {
    let found: ReadJob = { id: "" };
    const run = async (id: string, hold: Hold) => {
      const reply = await this.#run(request, found, [...hold, id]);
      const [launched, second, fairnessKey] = list(reply);
      if (launched === undefined) throw request.refusal;
      if (typeof second !== "number") return toJob(reply);
      if (fairnessKey !== undefined) return toNewlyLaunched(request, text(launched), second, text(fairnessKey));
      if (launched !== found.id) found = await this.#read(text(launched));
      if (found.job === undefined || second === 1) throw new Overtaken(found.id);
      return found.job;
    };
    const newId = () => createJobId(this.#clock.now(), shardOf(request.parent.jobId));
    const key = request.refusal === undefined ? request.job.options?.uniqueKey : "";
    return this.#keys.holding({ key: key ?? "", request: "", newId, run });
  }

  #run({ parent, key, job, refusal }: SubJobRequest, found: ReadJob, as: [...hold: Hold, id: string]): Promise<Reply> {
    const { name, traceparent, parametersJson, options } = job;
    const { status, command } = found.job ?? {};
    const standing = [found.id, status ? statusCode(status) : 0, command ? commandCode(command) : 0] as const;
    const full = refusal === undefined ? 0 : 1;
    const child = [full, ...as, name, traceparent, parametersJson, toOptionsArgument(options)] as const;
    const { jobId, token, incarnation } = parent;
    const shard = this.#shards.ofJob(jobId);
    return shard.run("transitions/launch-sub-job", jobId, token, incarnation, key, ...standing, ...child);
  }

  async #read(id: string): Promise<ReadJob> {
    try {
      return { id, job: toWholeJob(await this.#shards.ofJob(id).run("operators/read", id)) };
    } catch (error) {
      if (error instanceof ReasonedError && error.reason === "JOB_NOT_FOUND") return { id };
      throw error;
    }
  }
}

function toNewlyLaunched({ parent, job }: SubJobRequest, id: string, now: number, fairnessKey: string): Job {
  const options = { ...(job.options ?? usualOptions), fairnessKey };
  return newlyLaunched(id, now, parent.jobId, { ...job, options });
}
