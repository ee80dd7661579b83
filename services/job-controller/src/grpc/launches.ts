import { fieldsInvalid } from "@drydock/shared/errors.ts";
import type { JobRequest } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { Status } from "@drydock/shared/gen/google/rpc/status.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { detailsKey, toServiceError } from "@drydock/shared/grpc/status.ts";
import type { Job } from "../domain/job.ts";
import { newlyLaunched } from "../domain/new-job.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { checkLaunch, launchJob } from "../usecases/launch-job.ts";
import { toStats, toStatsWithoutParameters } from "./convert.ts";
import { validateLaunch } from "./validate-launch.ts";

const mostLaunches = 1_000;
const maxRequestIdLength = 128;

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
  return { results: await Promise.all(jobs.map(launchOne)) };
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
