import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { type JobRequest, JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { LaunchResult } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { ErrorInfo } from "@drydock/shared/gen/google/rpc/error_details.ts";
import { Status } from "@drydock/shared/gen/google/rpc/status.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { detailsKey, toServiceError } from "@drydock/shared/grpc/status.ts";
import type { Job } from "../domain/job.ts";
import { newlyLaunched } from "../domain/new-job.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { checkLaunch, launchJob } from "../usecases/launch-job.ts";
import { AnswerPage } from "./answer-memory.ts";
import { toStats, toStatsWithoutParameters } from "./convert.ts";
import { validateLaunch } from "./validate-launch.ts";

const mostLaunches = 1_000;
const maxRequestIdLength = 128;
/** Of a job without what may be large: its names, keys, ids and numbers. 1,000 of them fit. */
const maxSmallBytes = 2_000;
/** Of an error that is told in brief. */
const maxBriefLength = 256;
const errorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";

/** LaunchJob. */
export async function launch(
  deps: UseCaseDeps,
  { job, requestId, validateOnly }: message.LaunchJobRequest,
  call: CallContext,
): Promise<message.LaunchJobResponse> {
  checkRequestId(requestId);
  const wanted = { ...validateLaunch(job), requestId, traceparent: call.traceparent ?? "" };
  if (!validateOnly) return { stats: toStats(await launchJob(deps, wanted)) };
  return { stats: toStats(newlyLaunched("", deps.clock.now(), "", await checkLaunch(deps, wanted))) };
}

/** LaunchJobs: each launch has its own result. */
export async function launchMany(
  deps: UseCaseDeps,
  { jobs, requestId }: message.LaunchJobsRequest,
  call: CallContext,
): Promise<message.LaunchJobsResponse> {
  if (jobs.length > mostLaunches) {
    throw fieldsInvalid([{ field: "jobs", description: `must not be more than ${mostLaunches}` }]);
  }
  checkRequestId(requestId);
  const traceparent = call.traceparent ?? "";
  const launchOne = async (job: JobRequest, at: number): Promise<message.LaunchResult> => {
    const field = `jobs[${at}]`;
    const ownRequestId = requestId === "" ? "" : `${requestId}\n${at}`;
    try {
      return toResult(
        await launchJob(deps, { ...validateLaunch(job, field), field, requestId: ownRequestId, traceparent }),
      );
    } catch (error) {
      return toErrorResult(error);
    }
  };
  return { results: fitInAnswer(await Promise.all(jobs.map(launchOne))) };
}

/** What behind the first 2 MiB is told in brief: 1,000 results have room then, whatever is in them. */
function fitInAnswer(results: message.LaunchResult[]): message.LaunchResult[] {
  const told = new AnswerPage(LaunchResult);
  const whole = results.findIndex((result) => !told.add(result, isSmall(result) ? maxSmallBytes : undefined));
  return whole === -1 ? results : [...told.messages, ...results.slice(whole).map(toBrief)];
}

/** Whether it is a job without what may be large, as most are that were launched just now. */
function isSmall({ result }: message.LaunchResult): boolean {
  if (result?.$case !== "stats") return false;
  const { labels, policy, checkIn, lastError, executions, periodic } = result.value;
  const isPlain = policy === undefined && periodic === undefined && lastError === undefined;
  return isPlain && checkIn === "" && executions.length === 0 && Object.keys(labels).length === 0;
}

function toBrief({ result }: message.LaunchResult): message.LaunchResult {
  if (result?.$case === "stats") {
    const { labels, policy, checkIn, lastError, executions, periodic, ...rest } = result.value;
    return { result: { $case: "stats", value: JobStats.fromPartial(rest) } };
  }
  const { code, message: text, details } = Status.fromPartial(result?.value ?? {});
  const known = details.filter(({ typeUrl }) => typeUrl === errorInfoType);
  const reasons = known.map(({ typeUrl, value }) => {
    const { reason, domain } = ErrorInfo.decode(value);
    return { typeUrl, value: Buffer.from(ErrorInfo.encode({ reason, domain, metadata: {} }).finish()) };
  });
  const brief = { code, message: text.slice(0, maxBriefLength).toWellFormed(), details: reasons };
  return { result: { $case: "error", value: brief } };
}

function checkRequestId(requestId: string): void {
  if (requestId.length <= maxRequestIdLength) return;
  const description = `must not be longer than ${maxRequestIdLength} characters`;
  throw fieldsInvalid([{ field: "request_id", description }]);
}

function toResult(job: Job): message.LaunchResult {
  return { result: { $case: "stats", value: toStatsWithoutParameters(job) } };
}

function toErrorResult(reason: unknown): message.LaunchResult {
  const { code, details, metadata } = toServiceError(reason).error;
  const [bytes] = metadata.get(detailsKey);
  const error = Buffer.isBuffer(bytes) ? Status.decode(bytes) : { code, message: details, details: [] };
  return { result: { $case: "error", value: error } };
}
