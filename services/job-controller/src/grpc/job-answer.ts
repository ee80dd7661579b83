import type { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { Job } from "../domain/job.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { toStats, toStatsWithoutParameters } from "./convert.ts";

/** Parameters up to this length are not looked at, in characters. */
const shortLength = 2 * 1024;
/** How many bytes more than as JSON a number, or another element of a list, has in a message at most. */
const elementBytes = 10;

/** A response that is one job. */
interface JobResponse {
  stats: JobStats;
}

/**
 * The answer of a call that reads a job.
 * @throws ReasonedError SERVER_BUSY, as a rejection
 */
export function toReadJob(memory: AnswerMemory, call: CallContext, job: Job): JobResponse | Promise<JobResponse> {
  return memory.sized(call, jobBytes(job), () => ({ stats: toStats(job) }));
}

/** The answer of a call that has changed a job: without parameters when there is no room for them. */
export function toChangedJob(memory: AnswerMemory, call: CallContext, job: Job): JobResponse | Promise<JobResponse> {
  const makeBrief = () => ({ stats: toStatsWithoutParameters(job) });
  return memory.sizedOrBrief(call, jobBytes(job), () => ({ stats: toStats(job) }), makeBrief);
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
