import type { Job, JobKind } from "../domain/job.ts";
import { isFinal, type JobStatus } from "../domain/job-state.ts";
import type { JobIndex, JobSource } from "../ports/job-index.ts";
import { type Page, readPageToken, writePageToken } from "./page-token.ts";

/** How many jobs one call looks at, so that a filter that fits few jobs does not make a long call. */
const maxLookedAt = 2_000;
const maxAtOnce = 200;
/** Tolerated difference of the controllers' clocks, in milliseconds: the index is in the order of launches, not of times. */
const maxSkewMs = 60_000;

/** What the jobs must be; what is not set does not matter. Times are milliseconds since 1970. */
export interface JobFilter {
  upstreamJobId?: string;
  status?: JobStatus;
  name?: string;
  kind?: JobKind;
  labels?: Record<string, string>;
  launchedAfter?: number;
  launchedBefore?: number;
}

/** A page of a list. */
export interface ListedJobs {
  jobs: Job[];
  /** For the next page; empty at the end. */
  nextPageToken: string;
}

/** What a list shows of the jobs, and how many bytes of them. */
export interface JobListing {
  /** Whether the jobs have their parameters. Default: false. */
  includeParameters?: boolean;
  /** Called with each job in turn; false when the page has no room for it. Default: there is room for all. */
  take?(job: Job): boolean;
}

/** Lists the jobs that fit, the newest first. Pages may be short: a call looks at a bounded number of jobs. */
export async function listJobs(
  index: JobIndex,
  filter: JobFilter,
  { size, token }: Page,
  { includeParameters = false, take = () => true }: JobListing = {},
): Promise<ListedJobs> {
  const source = sourceOf(filter);
  let position = readPageToken(token, filter, (text) => index.isCursor(source, text));
  const jobs: Job[] = [];
  const addIfThereIsRoom = (job: Job) => take(job) && jobs.push(job) > 0;
  for (let lookedAt = 0; lookedAt < maxLookedAt && jobs.length < size; ) {
    const limit = Math.min(maxAtOnce, size - jobs.length);
    const page = await index.list(source, { from: position, limit, includeParameters });
    const full = page.jobs.findIndex((job) => fits(job, filter) && !addIfThereIsRoom(job));
    if (full >= 0) return { jobs, nextPageToken: writePageToken(page.after(full), filter) };
    position = page.next;
    lookedAt += limit;
    if (position === "" || isPast(page.jobs, source, filter)) return { jobs, nextPageToken: "" };
  }
  return { jobs, nextPageToken: writePageToken(position, filter) };
}

function sourceOf({ upstreamJobId, status }: JobFilter): JobSource {
  if (upstreamJobId !== undefined) return { kind: "launchedBy", jobId: upstreamJobId };
  if (status !== undefined && isFinal(status)) return { kind: "ended", status };
  if (status === "RUNNING") return { kind: "running" };
  return { kind: "all" };
}

function fits(job: Job, filter: JobFilter): boolean {
  const { upstreamJobId, status, name, kind, labels = {}, launchedAfter, launchedBefore } = filter;
  return (
    (upstreamJobId === undefined || job.upstreamJobId === upstreamJobId) &&
    (status === undefined || job.status === status) &&
    (name === undefined || job.name === name) &&
    (kind === undefined || job.kind === kind) &&
    (launchedAfter === undefined || job.enqueuedAt >= launchedAfter) &&
    (launchedBefore === undefined || job.enqueuedAt < launchedBefore) &&
    Object.entries(labels).every(([label, value]) => Object.hasOwn(job.labels, label) && job.labels[label] === value)
  );
}

/** Whether all that follows was launched too early. Jobs in a final status are listed by their end instead. */
function isPast(jobs: Job[], source: JobSource, { launchedAfter }: JobFilter): boolean {
  const oldest = jobs.at(-1);
  if (launchedAfter === undefined || source.kind === "ended" || oldest === undefined) return false;
  return oldest.enqueuedAt < launchedAfter - maxSkewMs;
}
