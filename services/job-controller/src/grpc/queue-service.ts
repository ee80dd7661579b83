import { fieldsInvalid } from "@drydock/shared/errors.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { unary } from "@drydock/shared/grpc/handler.ts";
import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { drainQueue } from "../usecases/drain-queue.ts";
import { resumeSchedule } from "../usecases/fire-schedules.ts";
import type { AnswerMemory } from "./answer-memory.ts";
import type { JobAnswers } from "./job-answers.ts";
import * as lists from "./queue-lists.ts";
import { validateJobId, validateJobName, validateWorkerId } from "./validate.ts";

const maxDrained = 1_000;

/** drydock.job.v1.QueueService. */
export function createQueueService(
  deps: UseCaseDeps & { memory: AnswerMemory; jobs: JobAnswers },
): UntypedServiceImplementation {
  const { pool, hooks, queues, schedules, memory, jobs } = deps;
  return {
    listQueues: unary((request: message.ListQueuesRequest, call) =>
      memory.answer(call, () => lists.listQueues(deps, request)),
    ),
    pauseQueue: unary(async ({ name }: message.PauseQueueRequest): Promise<message.PauseQueueResponse> => {
      return { changed: await queues.pause(await knownName(deps, name), true) };
    }),
    resumeQueue: unary(async ({ name }: message.ResumeQueueRequest): Promise<message.ResumeQueueResponse> => {
      return { changed: await queues.pause(await knownName(deps, name), false) };
    }),
    drainQueue: unary(async (request: message.DrainQueueRequest): Promise<message.DrainQueueResponse> => {
      const page = { size: validateLimit(request.limit), token: request.pageToken };
      return drainQueue(queues, await knownName(deps, request.name), page);
    }),
    listWorkers: unary((request: message.ListWorkersRequest, call) =>
      memory.answer(call, () => lists.listWorkers(deps, request)),
    ),
    drainWorker: unary(async ({ workerId }: message.DrainWorkerRequest): Promise<message.DrainWorkerResponse> => {
      await pool.drainWorker(validateWorkerId(workerId));
      return {};
    }),
    listSchedules: unary((request: message.ListSchedulesRequest, call) =>
      memory.answer(call, () => lists.listSchedules(deps, request)),
    ),
    pauseSchedule: unary(
      async ({ jobId }: message.PauseScheduleRequest, call): Promise<message.PauseScheduleResponse> => {
        return jobs.changed(await schedules.pause(validateJobId(jobId)), call);
      },
    ),
    resumeSchedule: unary(
      async ({ jobId }: message.ResumeScheduleRequest, call): Promise<message.ResumeScheduleResponse> => {
        return jobs.changed(await resumeSchedule(deps, await pool.get(validateJobId(jobId))), call);
      },
    ),
    redeliverHook: unary(
      async ({ jobId }: message.RedeliverHookRequest, call): Promise<message.RedeliverHookResponse> => {
        const events = await hooks.redeliver(validateJobId(jobId));
        return { ...(await jobs.changed(await pool.get(jobId), call)), events };
      },
    ),
    listFailedHooks: unary((request: message.ListFailedHooksRequest, call) =>
      memory.answer(call, () => lists.listFailedHooks(deps, request)),
    ),
    listJobTypes: unary((request: message.ListJobTypesRequest, call) =>
      memory.answer(call, () => lists.listJobTypes(deps, request)),
    ),
  };
}

async function knownName({ types }: UseCaseDeps, name: string): Promise<string> {
  return (await types.require(validateJobName(name), "name")).type.name;
}

function validateLimit(limit: number): number {
  if (limit >= 0 && limit <= maxDrained) return limit === 0 ? maxDrained : limit;
  throw fieldsInvalid([{ field: "limit", description: `must be from 1 to ${maxDrained}, or left out` }]);
}
