import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { type JobRequest, JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { LaunchResult } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { Status } from "@drydock/shared/gen/google/rpc/status.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import type { Job } from "../domain/job.ts";
import { newlyLaunched } from "../domain/new-job.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { checkLaunch, launchJob } from "../usecases/launch-job.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toStatsWithoutParameters } from "./convert.ts";
import type { JobAnswers } from "./job-answers.ts";
import { toBriefStatus, toStatus } from "./result-status.ts";
import { validateLaunch } from "./validate-launch.ts";

const maxLaunches = 1_000;
const maxRequestIdLength = 128;
/** Maximum size of the result of a job without what may be large, in bytes: its names, keys, ids and numbers. 1,000 of them fit. */
const maxSmallBytes = 2_000;

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
  if (jobs.length > maxLaunches) {
    throw fieldsInvalid([{ field: "jobs", description: `must not be more than ${maxLaunches}` }]);
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
      return { result: { $case: "error", value: toStatus(error) } };
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

/** Whether the result is a job without labels and the other parts that may be large, as most new jobs are. */
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
  return { result: { $case: "error", value: toBriefStatus(Status.fromPartial(result?.value ?? {})) } };
}

function checkRequestId(requestId: string): void {
  if (requestId.length <= maxRequestIdLength) return;
  const description = `must not be longer than ${maxRequestIdLength} characters`;
  throw fieldsInvalid([{ field: "request_id", description }]);
}

function toResult(job: Job): message.LaunchResult {
  return { result: { $case: "stats", value: toStatsWithoutParameters(job) } };
}
