import type { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { Job } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { RecentCapacities, ShownJob } from "../usecases/recent-capacities.ts";
import { type AnswerMemory, type AnswerRoom, smallBytes } from "./answer-memory.ts";
import { toStats, toStatsWithoutParameters } from "./convert.ts";

/** Parameters up to this length are not looked at, in characters. */
const shortLength = 2 * 1024;
/** How many bytes more than as JSON a number, or another element of a list, has in a message at most. */
const elementBytes = 10;
/** Distance between the characters that are looked at. A prime, so that the elements of a list do not fall in step with it. */
const stride = 17;
/** How many large jobs are known. */
const maxKnown = 10_000;

/** A response that is one job. */
interface JobResponse {
  stats: JobStats;
}

/** What the answers that are one job are made from. */
interface JobAnswersDeps {
  pool: Pick<JobPool, "get">;
  capacities: Pick<RecentCapacities, "show">;
}

/**
 * The answers that are one job. Parameters never change, so that it is known which jobs are large; those are read only when
 * there is room for their answers.
 */
export class JobAnswers {
  readonly #memory: AnswerMemory;
  readonly #pool: Pick<JobPool, "get">;
  readonly #capacities: Pick<RecentCapacities, "show">;
  readonly #largeJobs = new Map<string, number>();

  constructor(memory: AnswerMemory, { pool, capacities }: JobAnswersDeps) {
    this.#memory = memory;
    this.#pool = pool;
    this.#capacities = capacities;
  }

  /**
   * The answer of a call that reads a job.
   * @throws ReasonedError JOB_NOT_FOUND, SERVER_BUSY
   */
  async read(jobId: string, call: CallContext): Promise<JobResponse> {
    const room = this.#memory.roomFor(call);
    const job = await this.#capacities.show(await this.#get(jobId, room));
    return room.make(this.#bytesOf(job), () => toResponse(job));
  }

  /** The answer of a call that has changed a job: without parameters when there is no room for them. */
  changed(job: Job, call: CallContext): JobResponse | Promise<JobResponse> {
    const makeBrief = () => ({ stats: toStatsWithoutParameters(job) });
    return this.#memory.roomFor(call).makeOrBrief(this.#bytesOf(job), () => toResponse(job), makeBrief);
  }

  /**
   * The answers of a stream of a job's states.
   * @param open gives the states, and reads the job with its parameters by `get`
   * @throws ReasonedError JOB_NOT_FOUND, SERVER_BUSY
   */
  stream(
    call: CallContext,
    open: (get: (jobId: string) => Promise<Job>) => AsyncIterable<ShownJob>,
  ): AsyncGenerator<JobResponse> {
    const states = (room: AnswerRoom) => open((jobId) => this.#get(jobId, room));
    return this.#memory.stream(call, states, { bytesOf: (job) => this.#bytesOf(job), toMessage: toResponse });
  }

  #get(jobId: string, room: AnswerRoom): Promise<Job> {
    const known = this.#largeJobs.get(jobId);
    return known === undefined ? this.#pool.get(jobId) : room.reserve(known).then(() => this.#pool.get(jobId));
  }

  /** About how many bytes the job's parameters have in a message. */
  #bytesOf({ id, parametersJson }: Job): number {
    if (parametersJson.length <= shortLength) return parametersJson.length;
    const known = this.#largeJobs.get(id);
    if (known !== undefined) return known;
    const bytes = parametersJson.length + elementBytes * stride * countCommas(parametersJson);
    if (bytes > smallBytes) this.#remember(id, bytes);
    return bytes;
  }

  #remember(jobId: string, bytes: number): void {
    const [oldest] = this.#largeJobs.size >= maxKnown ? this.#largeJobs.keys() : [];
    if (oldest !== undefined) this.#largeJobs.delete(oldest);
    this.#largeJobs.set(jobId, bytes);
  }
}

function toResponse(job: ShownJob): JobResponse {
  return { stats: toStats(job) };
}

/** The number of commas among the characters that are looked at. */
function countCommas(json: string): number {
  let count = 0;
  for (let at = 0; at < json.length; at += stride) if (json[at] === ",") count++;
  return count;
}
