import type { ModelPool } from "./state.ts";

/** sweep.lua drops the entry of a job that ended in the very millisecond `before`, but not the job: it stays for ever. */
export function sweepForgetsEntry(pool: ModelPool, status: string, before: number): boolean {
  return [...pool.jobs.values()].some((job) => job.status === status && job.endedAt === before);
}

/** launch-sub-job.lua answers JOB_NOT_FOUND when the job of that key is past its keep time. */
export function subJobIsGone(pool: ModelPool, parentId: string, key: string): boolean {
  const known = pool.subJobs.get(`${parentId} ${key}`);
  return known !== undefined && !pool.jobs.has(known);
}
