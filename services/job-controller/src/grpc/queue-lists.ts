import type { Codec } from "@drydock/shared/encode-message.ts";
import { JobStats } from "@drydock/shared/gen/drydock/job/v1/job.ts";
import type * as message from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { FailedHook, JobType, Queue, Worker } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import type { Job } from "../domain/job.ts";
import { isJobId } from "../domain/job-id.ts";
import { listMovingQueues } from "../usecases/check-status.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { listSchedules as readSchedules } from "../usecases/list-schedules.ts";
import { firstPart, type Part, partBehind, readPageToken, writePageToken } from "../usecases/page-token.ts";
import type { SizedAnswer } from "./answer-memory.ts";
import { AnswerPage } from "./answer-page.ts";
import { toHookStatusCode, toStats, toStatusCode } from "./convert.ts";
import { toClosedMessages, toQueueWait } from "./convert-capacity.ts";
import { toAge, toDate, toDuration } from "./time.ts";
import { type PageRequest, validatePage } from "./validate-list.ts";

/** The queues, by name. */
export async function listQueues(
  deps: UseCaseDeps,
  request: message.ListQueuesRequest,
): Promise<SizedAnswer<message.ListQueuesResponse>> {
  const now = deps.clock.now();
  const read = async (after: string, limit: number) => {
    const part = partBehind(await listMovingQueues(deps), ({ name }) => name, after, limit);
    return mapPart(part, ({ oldestAt, launchedPerMinute, endedPerMinute, waitingFor, ...queue }) => ({
      ...queue,
      waitingFor: toQueueWait(waitingFor),
      oldestAge: toAge(oldestAt, now),
      launchedPerMinute: toTenths(launchedPerMinute),
      endedPerMinute: toTenths(endedPerMinute),
    }));
  };
  const page = await readPage(request, { name: "queues", read, codec: Queue, idOf: ({ name }) => name });
  return { response: { queues: page.entries, nextPageToken: page.nextPageToken }, bytes: page.bytes };
}

/** The workers, by id. */
export async function listWorkers(
  { pool, clock }: UseCaseDeps,
  request: message.ListWorkersRequest,
): Promise<SizedAnswer<message.ListWorkersResponse>> {
  const now = clock.now();
  const read = async (after: string, limit: number) => {
    const part = firstPart(await pool.workers(after, limit + 1), ({ workerId }) => workerId, limit);
    return mapPart(part, ({ startedAt, leaseEndsAt, closed, ...worker }) => ({
      ...worker,
      closed: toClosedMessages(closed),
      startedAt: toDate(startedAt),
      leaseLeft: toDuration(Math.max(0, leaseEndsAt - now)),
    }));
  };
  const page = await readPage(request, { name: "workers", read, codec: Worker, idOf: ({ workerId }) => workerId });
  return { response: { workers: page.entries, nextPageToken: page.nextPageToken }, bytes: page.bytes };
}

/** The schedules, the newest first. */
export async function listSchedules(
  deps: UseCaseDeps,
  request: message.ListSchedulesRequest,
): Promise<SizedAnswer<message.ListSchedulesResponse>> {
  const { includeParameters } = request;
  const shown = new AnswerPage(JobStats);
  const take = (job: Job) => shown.add(toStats(job));
  const { size, token } = validatePage(request);
  const list = { list: "schedules" };
  const { next } = await readSchedules(deps, readPageToken(token, list, isJobId), size, { includeParameters, take });
  return { response: { jobs: shown.messages, nextPageToken: writePageToken(next, list) }, bytes: shown.bytes };
}

/** The jobs whose status hook failed, the newest first. */
export async function listFailedHooks(
  { hooks }: UseCaseDeps,
  request: message.ListFailedHooksRequest,
): Promise<SizedAnswer<message.ListFailedHooksResponse>> {
  const read = async (before: string, limit: number) => {
    const part = firstPart(await hooks.failed(before, limit + 1), ({ jobId }) => jobId, limit);
    return mapPart(part, ({ status, hookStatus, causeAt, nextTryAt, ...hook }) => ({
      ...hook,
      status: toStatusCode(status),
      hookStatus: toHookStatusCode(hookStatus),
      causeTime: toDate(causeAt),
      nextTryTime: toDate(nextTryAt),
    }));
  };
  const idOf = ({ jobId }: message.FailedHook) => jobId;
  const page = await readPage(request, { name: "failed hooks", read, codec: FailedHook, idOf, isCursor: isJobId });
  return { response: { hooks: page.entries, nextPageToken: page.nextPageToken }, bytes: page.bytes };
}

/** The job types, by name. */
export async function listJobTypes(
  { types }: UseCaseDeps,
  request: message.ListJobTypesRequest,
): Promise<SizedAnswer<message.ListJobTypesResponse>> {
  await types.reload();
  const idOf = ({ name }: message.JobType) => name;
  const read = async (after: string, limit: number) => partBehind(types.all, idOf, after, limit);
  const page = await readPage(request, { name: "job types", read, codec: JobType, idOf });
  return { response: { jobTypes: page.entries, nextPageToken: page.nextPageToken }, bytes: page.bytes };
}

/** A list of messages, by their ids. */
interface List<Message> {
  name: string;
  read(from: string, limit: number): Promise<Part<Message>>;
  codec: Codec<Message>;
  idOf(entry: Message): string;
  isCursor?(id: string): boolean;
}

/** The page that is asked for, as far as it fits in an answer. */
async function readPage<Message>(
  request: PageRequest,
  { name, read, codec, idOf, isCursor = isName }: List<Message>,
): Promise<{ entries: Message[]; nextPageToken: string; bytes: number }> {
  const { size, token } = validatePage(request);
  const list = { list: name };
  const { entries, next } = await read(readPageToken(token, list, isCursor), size);
  const shown = new AnswerPage(codec);
  const isWhole = entries.every((entry) => shown.add(entry));
  const last = shown.messages.at(-1);
  const end = isWhole || last === undefined ? next : idOf(last);
  return { entries: shown.messages, nextPageToken: writePageToken(end, list), bytes: shown.bytes };
}

function mapPart<T, Message>({ entries, next }: Part<T>, toMessage: (entry: T) => Message): Part<Message> {
  return { entries: entries.map(toMessage), next };
}

/** What a name or a worker id may be, and more: it is compared with others and nothing else. */
function isName(text: string): boolean {
  return text.length <= 256;
}

/** As people read it. */
function toTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
