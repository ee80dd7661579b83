import { ReasonedError } from "@drydock/shared/errors.ts";
import type { Job } from "../domain/job.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import { firstPart, type Part } from "./page-token.ts";

/** What listing needs. */
export interface ListSchedulesDeps {
  pool: Pick<JobPool, "get">;
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
): Promise<Part<Job>> {
  const { entries: ids, next } = firstPart(await schedules.list(before, limit + 1), (id) => id, limit);
  const jobs = await Promise.all(ids.map((id) => pool.get(id).catch(unlessGone)));
  return { entries: jobs.filter((job): job is Job => job?.status === "SCHEDULED"), next };
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof ReasonedError) || error.reason !== "JOB_NOT_FOUND") throw error;
}
