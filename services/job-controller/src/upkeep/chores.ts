import type { Clock } from "@drydock/shared/clock.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { every } from "@drydock/shared/loop.ts";
import { isPoolAway, isReportStoreAway } from "../domain/pool-away.ts";
import type { DataFiles, ExploitationData } from "../ports/exploitation-data.ts";
import type { JobPool } from "../ports/job-pool.ts";
import type { QueueControl } from "../ports/queue-control.ts";
import type { RedisProbe } from "../ports/redis-health.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { Dispatcher } from "../usecases/dispatcher.ts";
import type { JobTypes } from "../usecases/job-types.ts";
import type { PoolLimits } from "../usecases/pool-limits.ts";
import { ClosedTypeExpirer } from "./expire-closed.ts";
import { ExploitationRenewer } from "./exploitation-renewer.ts";
import type { MemoryRelief } from "./memory-relief.ts";
import type { Reaper } from "./reaper.ts";
import { runWhileMore } from "./run-while-more.ts";
import { type KeepTimes, sweep } from "./sweeper.ts";

/** How often each chore runs, in milliseconds; reapMs is well below unwatchedMs of the lease terms. Together they are most of an idle controller's load on Redis. */
const periods = {
  reapMs: 700,
  endSubJobsMs: 2_000,
  expireMs: 3_000,
  lookMs: 4_000,
  takeBackMs: 1_000,
  measureMs: 6_000,
  sweepMs: 10_000,
  freeKeysMs: 10_000,
  expireClosedMs: 30_000,
  readTypesMs: 10_000,
  tidyReportsMs: 30_000,
  noteDayMs: 600_000,
  renewExploitationMs: 30_000,
};

/** The part of each period that may be left out at random, so that many controllers spread out. */
const jitter = 0.1;

/** What the chores need. */
export interface ChoreDeps {
  pool: JobPool;
  queues: QueueControl;
  reaper: Reaper;
  redis: RedisProbe;
  dispatcher: Dispatcher;
  limits: PoolLimits;
  relief: MemoryRelief;
  types: JobTypes;
  reports: ReportStore;
  reportQueries: ReportQueries;
  exploitation: ExploitationData & DataFiles;
  keep: KeepTimes;
  clock: Clock;
  logger: Logger;
}

/** What has to be done again and again. Any number of controllers may do it at once; none is the leader. */
export function createChores(deps: ChoreDeps): Service[] {
  const { pool, redis, logger } = deps;
  const closedTypes = new ClosedTypeExpirer(deps);
  const renewer = new ExploitationRenewer(deps);
  const always = (name: string, periodMs: number, run: (signal: AbortSignal) => Promise<unknown>) =>
    every(periodMs, (signal) => run(signal).catch(unlessAway), { name, logger, jitter });
  const chore: typeof always = (name, periodMs, run) =>
    always(name, periodMs, async (signal) => (redis.up ? run(signal) : undefined));
  return [
    always("reaper", periods.reapMs, (signal) => deps.reaper.run(signal)),
    chore("expirer", periods.expireMs, (signal) => runWhileMore(() => pool.expire(), signal)),
    chore("closed-type-expirer", periods.expireClosedMs, (signal) => closedTypes.run(signal)),
    chore("sub-job-ender", periods.endSubJobsMs, (signal) => runWhileMore(() => pool.endSubJobs(), signal)),
    chore("sweeper", periods.sweepMs, (signal) => sweep(deps, signal)),
    chore("key-freer", periods.freeKeysMs, (signal) => runWhileMore(() => pool.freeKeys(), signal)),
    chore("type-reader", periods.readTypesMs, () => readTypes(deps.types)),
    chore("report-tidier", periods.tidyReportsMs, (signal) => tidy(deps.reports, signal)),
    chore("exploitation-renewer", periods.renewExploitationMs, (signal) => renewer.run(signal)),
    chore("day-noter", periods.noteDayMs, () => deps.reportQueries.noteDay()),
    chore("gauge", periods.measureMs, async (signal) => {
      await deps.limits.measure();
      // after a relief, refused launches are admitted again at once
      if ((await deps.relief.run(signal)) > 0) await deps.limits.measure();
    }),
    chore("look-around", periods.lookMs, async () => deps.dispatcher.lookEverywhere()),
    chore("take-back", periods.takeBackMs, () => takeBack(deps.dispatcher)),
  ];
}

/** Outages are not logged here: the watches log them once. */
function unlessAway(error: unknown): void {
  if (!isPoolAway(error) && !isReportStoreAway(error)) throw error;
}

async function tidy(reports: ReportStore, signal: AbortSignal): Promise<void> {
  while ((await reports.tidy()) && !signal.aborted);
}

async function readTypes(types: JobTypes): Promise<void> {
  await types.reload();
  await types.settle();
}

/** Takes back jobs that were not accepted in time. A session for which that fails is tried again in the next round. */
async function takeBack({ sessions }: Dispatcher): Promise<void> {
  const outcomes = await Promise.allSettled([...sessions].map((session) => session.takeBackUnaccepted()));
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}
