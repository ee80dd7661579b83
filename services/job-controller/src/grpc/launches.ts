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
import type { AnswerMemory } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toStatsWithoutParameters } from "./convert.ts";
import type { JobAnswers } from "./job-answers.ts";
import { validateLaunch } from "./validate-launch.ts";

const mostLaunches = 1_000;
const maxRequestIdLength = 128;
/** Maximum size of the result of a job without what may be large, in bytes: its names, keys, ids and numbers. 1,000 of them fit. */
const maxSmallBytes = 2_000;
/** Maximum length of the text of an error in a brief result. */
const maxBriefLength = 256;
const errorInfoType = "type.googleapis.com/google.rpc.ErrorInfo";

/** What launches need. */
interface LaunchCallDeps extends UseCaseDeps {
  memory: AnswerMemory;
  jobs: JobAnswers;
}

/** LaunchJob. */
export async function launch(
  deps: LaunchCallDeps,
  { job: request, requestId, validateOnly }: message.LaunchJobRequest,
  call: CallContext,
): Promise<message.LaunchJobResponse> {
  checkRequestId(requestId);
  const wanted = { ...validateLaunch(request), requestId, traceparent: call.traceparent ?? "" };
  const job = validateOnly
    ? newlyLaunched("", deps.clock.now(), "", await checkLaunch(deps, wanted))
    : await launchJob(deps, wanted);
  return deps.jobs.changed(job, call);
}

/** LaunchJobs: each launch has its own result. */
export async function launchMany(
  deps: LaunchCallDeps,
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
  const results = await Promise.all(jobs.map(launchOne));
  const page = new AnswerPage(LaunchResult);
  const end = results.findIndex((result) => !page.add(result, isSmall(result) ? maxSmallBytes : undefined));
  return deps.memory.roomFor(call).makeOrBrief(
    page.bytes,
    () => ({ results: end === -1 ? results : [...page.messages, ...results.slice(end).map(toBrief)] }),
    () => ({ results: results.map(toBrief) }),
  );
}

/** Whether it is a job without what may be large, as most are that were launched just now. */
function isSmall({ result }: message.LaunchResult): boolean {
  if (result?.$case !== "stats") return false;
  const { labels, policy, checkIn, lastError, executions, periodic } = result.value;
  const isPlain = policy === undefined && periodic === undefined && lastError === undefined;
  return isPlain && checkIn === "" && executions.length === 0 && Object.keys(labels).length === 0;
}

/** The result without what may be large: 1,000 of them fit in an answer beside a page of whole ones. */
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
