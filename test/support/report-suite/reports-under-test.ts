import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import type { ReportQueries } from "@drydock/job-controller/ports/report-queries.ts";
import type { ReportStore } from "@drydock/job-controller/ports/report-store.ts";
import type { ManualClock } from "../manual-clock.ts";
import { type PoolUnderTest, startJob, workerInfo, workerNamed } from "../pool.ts";

/** Jobs that may store reports. */
export interface ReportingJobs {
  /** Launches a job and claims it. */
  startJob(): Promise<HeldLease>;
  /** Gives the job to another process. */
  loseLease(lease: HeldLease): Promise<void>;
}

/** A home of reports, with a pool whose jobs may store some. */
export interface ReportsUnderTest extends ReportingJobs {
  reports: ReportStore;
  queries: ReportQueries;
  /** The clock of the store and of the pool. */
  clock: ManualClock;
  /** Removes all reports and jobs. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

/** What the store under test is to be made with. */
export interface ReportLimits {
  keepMs: number;
  reportsPerImage: number;
}

/** The limits that the suite asks for. */
export const suiteLimits: ReportLimits = { keepMs: 3_600_000, reportsPerImage: 3 };

/** The jobs of a pool, each of a worker of its own. */
export function reportingJobs(under: PoolUnderTest): ReportingJobs {
  const workers = new Map<string, string>();
  let count = 0;
  // one after the other: each is the next job of its queue
  let last: Promise<unknown> = Promise.resolve();
  const start = async () => {
    const workerId = `reporter-${count++}`;
    const lease = await startJob(under, workerNamed(workerId));
    workers.set(lease.jobId, workerId);
    return lease;
  };
  return {
    startJob: () => {
      const started = last.then(start);
      last = started.catch(() => {});
      return started;
    },
    // a newer process of the worker frees what the older one held
    loseLease: async ({ jobId }) => {
      const workerId = workers.get(jobId) ?? "";
      await under.pool.hello(workerNamed(workerId, "second", "s2"), workerInfo, []);
    },
  };
}
