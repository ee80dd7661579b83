import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { demoJob, demoTypes, leaseOf, type PoolUnderTest, workerNamed } from "./pool.ts";

/** Launches a job and claims it for the worker w1, which has said hello. */
export async function claimOneOf({ pool }: PoolUnderTest): Promise<HeldLease> {
  const { id } = await pool.launch(demoJob);
  const { jobs } = await pool.claim(workerNamed("w1"), demoTypes, 1);
  const job = jobs.find((claimed) => claimed.id === id);
  if (job === undefined) throw new Error("the job was not the next one");
  return leaseOf(job);
}
