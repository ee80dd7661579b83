import type * as message from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { isJobId } from "../domain/job-id.ts";
import { listMovingQueues } from "../usecases/check-status.ts";
import type { UseCaseDeps } from "../usecases/deps.ts";
import { listSchedules as readSchedules } from "../usecases/list-schedules.ts";
import { firstPart, type Part, partBehind, readPageToken, writePageToken } from "../usecases/page-token.ts";
import { toHookStatusCode, toStats, toStatusCode } from "./convert.ts";
import { toAge, toDate, toDuration } from "./time.ts";
import { type PageRequest, validatePage } from "./validate-list.ts";

/** The queues, by name. */
export async function listQueues(
  deps: UseCaseDeps,
  request: message.ListQueuesRequest,
): Promise<message.ListQueuesResponse> {
  const now = deps.clock.now();
  const { entries, nextPageToken } = await readPage("queues", request, async (after, limit) =>
    partBehind(await listMovingQueues(deps), ({ name }) => name, after, limit),
  );
  const queues = entries.map(({ oldestAt, launchedPerMinute, endedPerMinute, ...queue }) => ({
    ...queue,
    oldestAge: toAge(oldestAt, now),
    launchedPerMinute: toTenths(launchedPerMinute),
    endedPerMinute: toTenths(endedPerMinute),
  }));
  return { queues, nextPageToken };
}

/** The workers, by id. */
export async function listWorkers(
  { pool, clock }: UseCaseDeps,
  request: message.ListWorkersRequest,
): Promise<message.ListWorkersResponse> {
  const now = clock.now();
  const { entries, nextPageToken } = await readPage("workers", request, async (after, limit) =>
    firstPart(await pool.workers(after, limit + 1), ({ workerId }) => workerId, limit),
  );
  const workers = entries.map(({ startedAt, leaseEndsAt, ...worker }) => ({
    ...worker,
    startedAt: toDate(startedAt),
    leaseLeft: toDuration(Math.max(0, leaseEndsAt - now)),
  }));
  return { workers, nextPageToken };
}

/** The schedules, the newest first. */
export async function listSchedules(
  deps: UseCaseDeps,
  request: message.ListSchedulesRequest,
): Promise<message.ListSchedulesResponse> {
  const read = (before: string, limit: number) => readSchedules(deps, before, limit);
  const { entries, nextPageToken } = await readPage("schedules", request, read, isJobId);
  return { jobs: entries.map(toStats), nextPageToken };
}

/** The jobs whose status hook failed, the newest first. */
export async function listFailedHooks(
  { hooks }: UseCaseDeps,
  request: message.ListFailedHooksRequest,
): Promise<message.ListFailedHooksResponse> {
  const read = async (before: string, limit: number) =>
    firstPart(await hooks.failed(before, limit + 1), ({ jobId }) => jobId, limit);
  const { entries, nextPageToken } = await readPage("failed hooks", request, read, isJobId);
  const failed = entries.map(({ status, hookStatus, causeAt, nextTryAt, ...hook }) => ({
    ...hook,
    status: toStatusCode(status),
    hookStatus: toHookStatusCode(hookStatus),
    causeTime: toDate(causeAt),
    nextTryTime: toDate(nextTryAt),
  }));
  return { hooks: failed, nextPageToken };
}

/** The job types, by name. */
export async function listJobTypes(
  { types }: UseCaseDeps,
  request: message.ListJobTypesRequest,
): Promise<message.ListJobTypesResponse> {
  await types.reload();
  const { entries, nextPageToken } = await readPage("job types", request, async (after, limit) =>
    partBehind(types.all, ({ name }) => name, after, limit),
  );
  return { jobTypes: entries, nextPageToken };
}

/** The page that is asked for, of the list of that name. */
async function readPage<T>(
  list: string,
  request: PageRequest,
  read: (from: string, limit: number) => Promise<Part<T>>,
  isPlace: (id: string) => boolean = isName,
): Promise<{ entries: T[]; nextPageToken: string }> {
  const { size, token } = validatePage(request);
  const { entries, next } = await read(readPageToken(token, { list }, isPlace), size);
  return { entries, nextPageToken: writePageToken(next, { list }) };
}

/** What a name or a worker id may be, and more: it is compared with others and nothing else. */
function isName(text: string): boolean {
  return text.length <= 256;
}

/** As people read it. */
function toTenths(value: number): number {
  return Math.round(value * 10) / 10;
}
