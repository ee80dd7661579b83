import { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueStats, WorkerPool } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { serverStream, unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Job, JobCommand } from "../domain/job.ts";
import type { LogPiece } from "../ports/log-store.ts";
import { checkStatus, type PoolStatus, type StatusDeps } from "../usecases/check-status.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { endJob } from "../usecases/end-job.ts";
import { listJobs } from "../usecases/list-jobs.ts";
import { showJob } from "../usecases/recent-capacities.ts";
import { retryJob } from "../usecases/retry-job.ts";
import { readLog, watchJob } from "../usecases/watch-job.ts";
import { WatchedJobs } from "../usecases/watched-jobs.ts";
import type { AnswerMemory, SizedAnswer } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toStats } from "./convert.ts";
import { toClosedMessages, toQueueWait } from "./convert-capacity.ts";
import type { JobAnswers } from "./job-answers.ts";
import { launch, launchMany } from "./launches.ts";
import { toAge, toDate } from "./time.ts";
import { validateCount, validateJobId } from "./validate.ts";
import { validateList } from "./validate-list.ts";
import type { WatchLimit } from "./watch-limit.ts";

/** What the job service needs. */
export interface JobServiceDeps extends UseCaseDeps, StatusDeps {
  memory: AnswerMemory;
  jobs: JobAnswers;
  /** How many jobs and logs are watched. */
  watches: WatchLimit;
}

/** drydock.job.v1.JobService. */
export function createJobService(deps: JobServiceDeps): UntypedServiceImplementation {
  const { memory, jobs, watches } = deps;
  const watching = { ...deps, watched: new WatchedJobs(deps) };
  const end = (command: JobCommand) =>
    unary(async ({ jobId }: message.StopJobRequest, call): Promise<message.StopJobResponse> => {
      return jobs.changed(await endJob(deps, validateJobId(jobId), command), call);
    });
  return {
    launchJob: unary((request: message.LaunchJobRequest, call) => launch(deps, request, call)),
    launchJobs: unary((request: message.LaunchJobsRequest, call) => launchMany(deps, request, call)),
    listJobs: unary((request: message.ListJobsRequest, call) =>
      memory.answer<message.ListJobsResponse>(call, async () => {
        const { filter, page } = validateList(request);
        const { includeParameters } = request;
        const shown = new AnswerPage(JobStats);
        const capacities = await deps.capacities.read();
        const take = (job: Job) => shown.add(toStats(showJob(job, capacities)));
        const { nextPageToken } = await listJobs(deps.index, filter, page, { includeParameters, take });
        return { response: { jobs: shown.messages, nextPageToken }, bytes: shown.bytes };
      }),
    ),
    getJob: unary(({ jobId }: message.GetJobRequest, call) => jobs.read(validateJobId(jobId), call)),
    stopJob: end("stop"),
    cancelJob: end("cancel"),
    retryJob: unary(async ({ jobId }: message.RetryJobRequest, call): Promise<message.RetryJobResponse> => {
      return jobs.changed(await retryJob(deps, validateJobId(jobId)), call);
    }),
    checkStatus: unary((_: message.CheckStatusRequest, call) =>
      memory.answer(call, async () => toStatusAnswer(await checkStatus(deps), deps.clock.now())),
    ),
    getJobLogData: serverStream(async function* (request: message.GetJobLogDataRequest, call) {
      const jobId = validateJobId(request.jobId);
      const offset = validateCount("offset", request.offset);
      if (request.follow) watches.enter(call);
      const pieces = readLog(watching, { jobId, offset, follow: request.follow }, call.signal);
      yield* memory.stream(call, () => pieces, logMessages);
    }),
    watchJob: serverStream(async function* (request: message.WatchJobRequest, call) {
      const jobId = validateJobId(request.jobId);
      const afterRevision = validateCount("after_revision", request.afterRevision);
      watches.enter(call);
      yield* jobs.stream(call, (get) =>
        watchJob({ ...watching, pool: { get } }, { jobId, afterRevision }, call.signal),
      );
    }),
  };
}

/** How the pieces of a log become messages. */
const logMessages = { bytesOf: ({ text }: LogPiece) => text.length, toMessage: (piece: LogPiece) => piece };

function toStatusAnswer(status: PoolStatus, now: number): SizedAnswer<message.CheckStatusResponse> {
  const { workers, queues, redis } = status;
  const pools = new AnswerPage(WorkerPool);
  for (const { startedAt, heartbeatAt, workerId, version, jobNames, slots, running, draining, closed } of workers) {
    const rest = {
      startedAt: toDate(startedAt),
      heartbeatAt: toDate(heartbeatAt ?? 0),
      closed: toClosedMessages(closed),
    };
    if (!pools.add({ workerId, version, jobNames, slots, running, draining, ...rest })) break;
  }
  const shown = new AnswerPage(QueueStats);
  for (const { name, pending, running, scheduled, paused, oldestAt, waitingFor } of queues) {
    const rest = { oldestAge: toAge(oldestAt, now), waitingFor: toQueueWait(waitingFor) };
    shown.add({ name, pending, running, scheduled, paused, ...rest });
  }
  const dataFiles = status.dataFiles.map(({ loadedAt, ...file }) => ({ ...file, loadedAt: toDate(loadedAt) }));
  const response = { pools: pools.messages, queues: shown.messages, redis, dataFiles };
  return { response, bytes: pools.bytes + shown.bytes };
}
