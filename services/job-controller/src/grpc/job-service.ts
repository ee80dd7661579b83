import { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { WorkerPool } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Job, JobCommand } from "../domain/job.ts";
import { checkStatus, type PoolStatus, type StatusDeps } from "../usecases/check-status.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { endJob } from "../usecases/end-job.ts";
import { listJobs } from "../usecases/list-jobs.ts";
import { showJob } from "../usecases/recent-capacities.ts";
import { retryJob } from "../usecases/retry-job.ts";
import { JobPeeks, readLog, watchJob } from "../usecases/watch-job.ts";
import { type AnswerMemory, AnswerPage } from "./answer-memory.ts";
import { toStats } from "./convert.ts";
import { toClosedMessages, toQueueWait } from "./convert-capacity.ts";
import { launch, launchMany } from "./launches.ts";
import { toAge, toDate } from "./time.ts";
import { validateCount, validateJobId } from "./validate.ts";
import { validateList } from "./validate-list.ts";

/** What the job service needs. */
export interface JobServiceDeps extends UseCaseDeps, StatusDeps {
  memory: AnswerMemory;
}

/** drydock.job.v1.JobService. */
export function createJobService(deps: JobServiceDeps): UntypedServiceImplementation {
  const watching = { ...deps, peeks: new JobPeeks(deps.pool) };
  const end = (command: JobCommand) =>
    unary(async ({ jobId }: message.StopJobRequest): Promise<message.StopJobResponse> => {
      return { stats: toStats(await endJob(deps, validateJobId(jobId), command)) };
    });
  return {
    launchJob: unary((request: message.LaunchJobRequest, call) => launch(deps, request, call)),
    launchJobs: unary((request: message.LaunchJobsRequest, call) => launchMany(deps, request, call)),
    listJobs: unary((request: message.ListJobsRequest, call) =>
      deps.memory.answer<message.ListJobsResponse>(call, async () => {
        const { filter, page } = validateList(request);
        const { includeParameters } = request;
        const shown = new AnswerPage(JobStats);
        const capacities = await deps.capacities.read();
        const take = (job: Job) => shown.add(toStats(showJob(job, capacities)));
        const { nextPageToken } = await listJobs(deps.index, filter, page, { includeParameters, take });
        return { response: { jobs: shown.messages, nextPageToken }, bytes: shown.bytes };
      }),
    ),
    getJob: unary(async ({ jobId }: message.GetJobRequest): Promise<message.GetJobResponse> => {
      return { stats: toStats(await deps.capacities.show(await deps.pool.get(validateJobId(jobId)))) };
    }),
    stopJob: end("stop"),
    cancelJob: end("cancel"),
    retryJob: unary(async ({ jobId }: message.RetryJobRequest): Promise<message.RetryJobResponse> => {
      return { stats: toStats(await retryJob(deps, validateJobId(jobId))) };
    }),
    checkStatus: unary(async (_: message.CheckStatusRequest) =>
      toStatusResponse(await checkStatus(deps), deps.clock.now()),
    ),
    getJobLogData: serverStream(async function* (request: message.GetJobLogDataRequest, call) {
      const jobId = validateJobId(request.jobId);
      const offset = validateCount("offset", request.offset);
      for await (const piece of readLog(watching, { jobId, offset, follow: request.follow }, call.signal)) yield piece;
    }),
    watchJob: serverStream(async function* (request: message.WatchJobRequest, call) {
      const jobId = validateJobId(request.jobId);
      const afterRevision = validateCount("after_revision", request.afterRevision);
      for await (const job of watchJob(watching, { jobId, afterRevision }, call.signal)) yield { stats: toStats(job) };
    }),
  };
}

function toStatusResponse({ workers, queues, redis }: PoolStatus, now: number): message.CheckStatusResponse {
  const pools = new AnswerPage(WorkerPool);
  for (const { startedAt, heartbeatAt, workerId, version, jobNames, slots, running, draining, closed } of workers) {
    const rest = { startedAt: toDate(startedAt), heartbeatAt: toDate(heartbeatAt), closed: toClosedMessages(closed) };
    if (!pools.add({ workerId, version, jobNames, slots, running, draining, ...rest })) break;
  }
  return {
    pools: pools.messages,
    queues: queues.map(({ name, pending, running, scheduled, oldestAt, waitingFor }) => ({
      ...{ name, pending, running, scheduled },
      oldestAge: toAge(oldestAt, now),
      waitingFor: toQueueWait(waitingFor),
    })),
    redis,
  };
}
