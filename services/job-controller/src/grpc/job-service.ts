import type * as message from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { JobCommand } from "../domain/job.ts";
import { checkStatus, type StatusDeps } from "../usecases/check-status.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { endJob } from "../usecases/end-job.ts";
import { launchJob } from "../usecases/launch-job.ts";
import { retryJob } from "../usecases/retry-job.ts";
import { readLog, watchJob } from "../usecases/watch-job.ts";
import { toDate, toStats } from "./convert.ts";
import { validateCount, validateJobId, validateLaunch } from "./validate.ts";

/** drydock.job.v1.JobService. */
export function createJobService(deps: UseCaseDeps & StatusDeps): UntypedServiceImplementation {
  const end = (command: JobCommand) =>
    unary(async ({ jobId }: message.StopJobRequest): Promise<message.StopJobResponse> => {
      return { stats: toStats(await endJob(deps, validateJobId(jobId), command)) };
    });
  return {
    launchJob: unary(async ({ job }: message.LaunchJobRequest, call): Promise<message.LaunchJobResponse> => {
      const { name, parameters } = validateLaunch(job);
      return { stats: toStats(await launchJob(deps, { name, parameters, traceparent: call.traceparent ?? "" })) };
    }),
    getJob: unary(async ({ jobId }: message.GetJobRequest): Promise<message.GetJobResponse> => {
      return { stats: toStats(await deps.pool.get(validateJobId(jobId))) };
    }),
    stopJob: end("stop"),
    cancelJob: end("cancel"),
    retryJob: unary(async ({ jobId }: message.RetryJobRequest): Promise<message.RetryJobResponse> => {
      return { stats: toStats(await retryJob(deps, validateJobId(jobId))) };
    }),
    checkStatus: unary(async (_: message.CheckStatusRequest) => toStatusResponse(await checkStatus(deps))),
    getJobLogData: serverStream(async function* (request: message.GetJobLogDataRequest, call) {
      const jobId = validateJobId(request.jobId);
      const offset = validateCount("offset", request.offset);
      for await (const piece of readLog(deps, { jobId, offset, follow: request.follow }, call.signal)) yield piece;
    }),
    watchJob: serverStream(async function* (request: message.WatchJobRequest, call) {
      const jobId = validateJobId(request.jobId);
      const afterRevision = validateCount("after_revision", request.afterRevision);
      for await (const job of watchJob(deps, { jobId, afterRevision }, call.signal)) yield { stats: toStats(job) };
    }),
  };
}

function toStatusResponse({
  workers,
  queues,
  redis,
}: Awaited<ReturnType<typeof checkStatus>>): message.CheckStatusResponse {
  return {
    pools: workers.map(({ workerId, version, jobNames, slots, running, draining, startedAt, heartbeatAt }) => ({
      workerId,
      version,
      jobNames,
      slots,
      running,
      draining,
      startedAt: toDate(startedAt),
      heartbeatAt: toDate(heartbeatAt),
    })),
    queues,
    redis,
  };
}
