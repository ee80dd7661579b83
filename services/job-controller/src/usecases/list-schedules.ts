import { ReasonedError } from "@drydock/shared/errors.ts";
import type { Job } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import type { JobListing } from "./list-jobs.ts";
import { firstPart, type Part } from "./page-token.ts";

/** Batch size of the read: the jobs' parameters may be large, and a page ends by its bytes. */
const readAtOnce = 16;

/** What listing needs. */
export interface ListSchedulesDeps {
  pool: Pick<JobPool, "get" | "peek">;
  schedules: Pick<ScheduleStore, "list">;
}

/**
 * The periodic jobs that have not ended, the newest first. Their order is that of their ids, which nothing changes, so that
 * one that stays is seen once, whatever launches and is paused meanwhile.
 * @param before the id of the last one seen, or empty
 */
export async function listSchedules(
  { pool, schedules }: ListSchedulesDeps,
  before: string,
  limit: number,
  { includeParameters = false, take = () => true }: JobListing = {},
): Promise<Part<Job>> {
  const { entries: ids, next } = firstPart(await schedules.list(before, limit + 1), (id) => id, limit);
  const read = (id: string) => (includeParameters ? pool.get(id) : pool.peek(id)).catch(unlessGone);
  const entries: Job[] = [];
  for (let at = 0; at < ids.length; at += readAtOnce) {
    for (const job of await Promise.all(ids.slice(at, at + readAtOnce).map(read))) {
      if (job?.status !== "SCHEDULED") continue;
      if (!take(job)) return { entries, next: entries.at(-1)?.id ?? next };
      entries.push(job);
    }
  }
  return { entries, next };
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof ReasonedError) || error.reason !== "JOB_NOT_FOUND") throw error;
}
