import type { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { Job } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { type AnswerRoom, smallBytes } from "./answer-memory.ts";
import { toStats, toStatsWithoutParameters } from "./convert.ts";

/** Parameters up to this length are not looked at, in characters. */
const shortLength = 2 * 1024;
/** How many bytes more than as JSON a number, or another element of a list, has in a message at most. */
const elementBytes = 10;
/** How many large jobs are known. */
const maxKnown = 10_000;

/** A response that is one job. */
interface JobResponse {
  stats: JobStats;
}

/** Reads jobs for answers. Parameters never change: a job that was large once is read only when there is room for its answer. */
export class JobReader {
  readonly #pool: Pick<JobPool, "get">;
  readonly #largeJobs = new Map<string, number>();

  constructor(pool: Pick<JobPool, "get">) {
    this.#pool = pool;
  }

  /**
   * The job with its parameters.
   * @throws ReasonedError JOB_NOT_FOUND, SERVER_BUSY
   */
  async get(jobId: string, room: AnswerRoom): Promise<Job> {
    const known = this.#largeJobs.get(jobId);
    if (known !== undefined) await room.reserve(known);
    const job = await this.#pool.get(jobId);
    if (known === undefined) this.#remember(job);
    return job;
  }

  #remember(job: Job): void {
    const bytes = jobBytes(job);
    if (bytes <= smallBytes) return;
    const [oldest] = this.#largeJobs.size >= maxKnown ? this.#largeJobs.keys() : [];
    if (oldest !== undefined) this.#largeJobs.delete(oldest);
    this.#largeJobs.set(job.id, bytes);
  }
}

/**
 * The answer of a call that has read a job.
 * @throws ReasonedError SERVER_BUSY, as a rejection
 */
export function toReadJob(room: AnswerRoom, job: Job): JobResponse | Promise<JobResponse> {
  return room.make(jobBytes(job), () => jobMessages.toMessage(job));
}

/** The answer of a call that has changed a job: without parameters when there is no room for them. */
export function toChangedJob(room: AnswerRoom, job: Job): JobResponse | Promise<JobResponse> {
  const makeBrief = () => ({ stats: toStatsWithoutParameters(job) });
  return room.makeOrBrief(jobBytes(job), () => jobMessages.toMessage(job), makeBrief);
}

/** The messages of a stream of one job's states. */
export const jobMessages = { bytesOf: jobBytes, toMessage: (job: Job): JobResponse => ({ stats: toStats(job) }) };

/** About how many bytes the job's parameters have in a message. */
function jobBytes({ parametersJson }: Job): number {
  let bytes = parametersJson.length;
  if (bytes <= shortLength) return bytes;
  for (let at = parametersJson.indexOf(","); at !== -1; at = parametersJson.indexOf(",", at + 1)) bytes += elementBytes;
  return bytes;
}
