import { type FieldViolation, fieldsInvalid } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { isJobId } from "../domain/job-id.ts";
import type { HookOutbox } from "../ports/hook-outbox.ts";
import { listMovingQueues } from "../usecases/check-status.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { resumeSchedule } from "../usecases/fire-schedules.ts";
import { toHookStatusCode, toStats, toStatusCode } from "./convert.ts";
import { toAge, toDate, toDuration } from "./time.ts";
import { validateJobId, validateJobName, validateWorkerId } from "./validate.ts";

const usualHooks = 50;
const mostHooks = 200;
const mostSchedules = 1_000;
const mostDrained = 1_000;
/** One script call's share, so that Redis stays free for others. */
const drainedAtOnce = 200;

/** drydock.job.v1.QueueService. */
export function createQueueService(deps: UseCaseDeps): UntypedServiceImplementation {
  const { pool, hooks, queues, schedules, types, clock } = deps;
  return {
    listQueues: unary(async (_: message.ListQueuesRequest): Promise<message.ListQueuesResponse> => {
      const now = clock.now();
      const states = await listMovingQueues(deps);
      return {
        queues: states.map(({ oldestAt, launchedPerMinute, endedPerMinute, ...queue }) => ({
          ...queue,
          oldestAge: toAge(oldestAt, now),
          launchedPerMinute: toTenths(launchedPerMinute),
          endedPerMinute: toTenths(endedPerMinute),
        })),
      };
    }),
    pauseQueue: unary(async ({ name }: message.PauseQueueRequest): Promise<message.PauseQueueResponse> => {
      return { changed: await queues.pause(await knownName(deps, name), true) };
    }),
    resumeQueue: unary(async ({ name }: message.ResumeQueueRequest): Promise<message.ResumeQueueResponse> => {
      return { changed: await queues.pause(await knownName(deps, name), false) };
    }),
    drainQueue: unary(async ({ name, limit }: message.DrainQueueRequest): Promise<message.DrainQueueResponse> => {
      return drain(deps, await knownName(deps, name), limit);
    }),
    listWorkers: unary(async (_: message.ListWorkersRequest): Promise<message.ListWorkersResponse> => {
      const now = clock.now();
      const workers = await pool.workers();
      return {
        workers: workers.map(({ startedAt, leaseEndsAt, ...worker }) => ({
          ...worker,
          startedAt: toDate(startedAt),
          leaseLeft: toDuration(Math.max(0, leaseEndsAt - now)),
        })),
      };
    }),
    drainWorker: unary(async ({ workerId }: message.DrainWorkerRequest): Promise<message.DrainWorkerResponse> => {
      await pool.drainWorker(validateWorkerId(workerId));
      return {};
    }),
    listSchedules: unary(async (_: message.ListSchedulesRequest): Promise<message.ListSchedulesResponse> => {
      const jobs = await Promise.allSettled((await schedules.list(mostSchedules)).map((id) => pool.get(id)));
      return { jobs: jobs.filter((job) => job.status === "fulfilled").map(({ value }) => toStats(value)) };
    }),
    pauseSchedule: unary(async ({ jobId }: message.PauseScheduleRequest): Promise<message.PauseScheduleResponse> => {
      return { stats: toStats(await schedules.pause(validateJobId(jobId))) };
    }),
    resumeSchedule: unary(async ({ jobId }: message.ResumeScheduleRequest): Promise<message.ResumeScheduleResponse> => {
      return { stats: toStats(await resumeSchedule(deps, await pool.get(validateJobId(jobId)))) };
    }),
    redeliverHook: unary(async ({ jobId }: message.RedeliverHookRequest): Promise<message.RedeliverHookResponse> => {
      const events = await hooks.redeliver(validateJobId(jobId));
      return { stats: toStats(await pool.get(jobId)), events };
    }),
    listFailedHooks: unary(async (request: message.ListFailedHooksRequest) => listFailedHooks(hooks, request)),
    listJobTypes: unary(async (_: message.ListJobTypesRequest): Promise<message.ListJobTypesResponse> => {
      await types.reload();
      return { jobTypes: types.all };
    }),
  };
}

/** As people read it. */
function toTenths(value: number): number {
  return Math.round(value * 10) / 10;
}

async function listFailedHooks(
  hooks: HookOutbox,
  { pageSize, pageToken }: message.ListFailedHooksRequest,
): Promise<message.ListFailedHooksResponse> {
  const violations: FieldViolation[] = [];
  if (pageSize < 0) violations.push({ field: "page_size", description: "must not be negative" });
  if (pageToken !== "" && !isJobId(pageToken)) {
    violations.push({ field: "page_token", description: "must be the next_page_token of an earlier answer" });
  }
  if (violations.length > 0) throw fieldsInvalid(violations);
  const limit = Math.min(pageSize || usualHooks, mostHooks);
  const failed = await hooks.failed(pageToken, limit);
  return {
    hooks: failed.map(({ status, hookStatus, causeAt, ...hook }) => ({
      ...hook,
      status: toStatusCode(status),
      hookStatus: toHookStatusCode(hookStatus),
      causeTime: toDate(causeAt),
    })),
    nextPageToken: failed.length < limit ? "" : (failed.at(-1)?.jobId ?? ""),
  };
}

async function knownName({ types }: UseCaseDeps, name: string): Promise<string> {
  return (await types.require(validateJobName(name), "name")).type.name;
}

async function drain({ queues }: UseCaseDeps, name: string, limit: number): Promise<message.DrainQueueResponse> {
  if (limit < 0 || limit > mostDrained) {
    throw fieldsInvalid([{ field: "limit", description: `must be from 1 to ${mostDrained}, or left out` }]);
  }
  const most = limit === 0 ? mostDrained : limit;
  let stopped = 0;
  for (;;) {
    const report = await queues.drain(name, Math.min(drainedAtOnce, most - stopped));
    stopped += report.stopped;
    if (!report.more || stopped >= most) return { stopped, more: report.more };
  }
}
