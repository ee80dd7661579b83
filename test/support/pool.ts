import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "@drydock/demo/stack/redis.ts";
import type { ClaimedJob, HeldLease, Lease } from "@drydock/job-controller/domain/job.ts";
import { defaultLeaseTerms, type LeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import type { WorkerIdentity, WorkerInfo } from "@drydock/job-controller/domain/worker.ts";
import type { CheckpointStore } from "@drydock/job-controller/ports/checkpoint-store.ts";
import type { HookOutbox } from "@drydock/job-controller/ports/hook-outbox.ts";
import type { JobIndex } from "@drydock/job-controller/ports/job-index.ts";
import type { Failure, Postponement } from "@drydock/job-controller/ports/job-pool.ts";
import type { LayerLocks } from "@drydock/job-controller/ports/layer-locks.ts";
import type { LogStore } from "@drydock/job-controller/ports/log-store.ts";
import type { QueueControl } from "@drydock/job-controller/ports/queue-control.ts";
import type { ReportQueries } from "@drydock/job-controller/ports/report-queries.ts";
import type { ReportStore } from "@drydock/job-controller/ports/report-store.ts";
import type { ScheduleStore } from "@drydock/job-controller/ports/schedule-store.ts";
import type { Constants } from "@drydock/job-controller/redis/bundle/bundle.ts";
import type { ScriptFile } from "@drydock/job-controller/redis/bundle/script-file.ts";
import { createRedisCheckpointStore } from "@drydock/job-controller/redis/checkpoint/checkpoint-store.ts";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { createRedisHookOutbox } from "@drydock/job-controller/redis/hooks/hook-outbox.ts";
import { RedisJobPool } from "@drydock/job-controller/redis/life/job-pool.ts";
import { createRedisLayerLocks } from "@drydock/job-controller/redis/locks/layer-locks.ts";
import { createRedisLogStore } from "@drydock/job-controller/redis/log/log-store.ts";
import { createRedisJobIndex } from "@drydock/job-controller/redis/operators/job-index.ts";
import { createRedisQueueControl } from "@drydock/job-controller/redis/operators/queue-control.ts";
import { createRedisReportQueries } from "@drydock/job-controller/redis/reports/report-queries.ts";
import { createRedisReportStore } from "@drydock/job-controller/redis/reports/report-store.ts";
import { createRedisScheduleStore } from "@drydock/job-controller/redis/schedule/schedule-store.ts";
import { defineScript, type ScriptedRedis, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards } from "@drydock/job-controller/redis/shards/shards.ts";
import { auditRedis } from "./audit.ts";
import { guardCommands } from "./guarded-scripts.ts";
import { ManualClock } from "./manual-clock.ts";

/** The pool on a Redis of its own, with a clock that the test moves. */
export interface PoolUnderTest {
  pool: RedisJobPool;
  shards: Shards;
  queues: QueueControl;
  schedules: ScheduleStore;
  hooks: HookOutbox;
  index: JobIndex;
  logs: LogStore;
  checkpoints: CheckpointStore;
  layerLocks: LayerLocks;
  reports: ReportStore;
  reportQueries: ReportQueries;
  clock: ManualClock;
  /** What the pool takes for the jitter of back-offs, from 0 to 1; at first 0. */
  jitter: { next: number };
  redis: ScriptedRedis;
  server: RedisServer;
  /** The ids of the jobs that bulk operations skipped. */
  faults: string[];
  stop(): Promise<void>;
}

/** Lease terms for a clock that jumps: no gap between two looks at the leases is too long. */
const watchedTerms: LeaseTerms = { ...defaultLeaseTerms, unwatchedMs: Number.MAX_SAFE_INTEGER };

/** The settings of a pool. */
export interface PoolOptions {
  shards?: number;
  maxLogBytes?: number;
  /** How many reports of an image are kept. Default: 3. */
  reportsPerImage?: number;
  /** Values for constants of the scripts, so that tests reach their limits with few jobs. */
  constants?: Constants;
  terms?: LeaseTerms;
  /** Lua in front of each script file. Default: it holds the file to its header. */
  prologue?: (file: ScriptFile) => string;
}

/** Starts a Redis and makes the pool on it. */
export async function startPool(options: PoolOptions = {}): Promise<PoolUnderTest> {
  const { shards: count = 1, maxLogBytes = 1024 * 1024, terms = watchedTerms, constants = {} } = options;
  const { reportsPerImage = 3 } = options;
  const { prologue = guardCommands } = options;
  const server = await startRedis();
  const clock = new ManualClock();
  const redis = defineScript(createConnection(server.url), { constants, prologue });
  redis.on("error", () => {});
  await redis.connect();
  const faults: string[] = [];
  const jitter = { next: 0 };
  const onFault = (jobId: string) => void faults.push(jobId);
  const shards = new Shards(count, (number) => new Shard(number, redis, clock, onFault));
  return {
    pool: new RedisJobPool({ redis, shards, terms, clock, jitter: () => jitter.next }),
    shards,
    queues: createRedisQueueControl(redis, shards, clock),
    schedules: createRedisScheduleStore(redis, shards, clock),
    hooks: createRedisHookOutbox(redis, shards),
    index: createRedisJobIndex(shards),
    logs: createRedisLogStore(shards, maxLogBytes),
    checkpoints: createRedisCheckpointStore(redis, shards),
    layerLocks: createRedisLayerLocks(shards),
    reports: createRedisReportStore({ redis, shards, clock, keepMs: 3_600_000, reportsPerImage }),
    reportQueries: createRedisReportQueries({ redis, shards, clock, keepMs: 3_600_000 }),
    clock,
    jitter,
    redis,
    server,
    faults,
    stop: async () => {
      const faults = await auditRedis(server);
      redis.disconnect();
      await server.stop();
      assert.deepEqual(faults, [], "the pool agrees with itself");
    },
  };
}

/** A worker's identity. */
export function workerNamed(workerId: string, incarnation = "first", session = "s1"): WorkerIdentity {
  return { workerId, incarnation, session };
}

/** What a worker says about itself. */
export const workerInfo: WorkerInfo = {
  version: "1.0.0",
  jobNames: ["DEMO"],
  slots: 4,
  draining: false,
  startedAt: 0,
  closed: [],
};

/** The type of that job, as a worker takes it. */
export const demoTypes = [{ name: "DEMO", maxRunning: 0, maxOfKey: 0 }];

/** A job to be launched. */
export const demoJob = { name: "DEMO", parametersJson: '{"image":"demo"}', traceparent: "" };

/** The back-off of a type. */
export const backoff = { baseMs: 1_000, capMs: 60_000 };

/** A failure that may be tried again. */
export const passingFailure: Failure = {
  reason: "HANDLER_ERROR",
  message: "it did not work",
  retry: 1_000,
  maxFails: 4,
  backoff,
};

/** The same, but never to be tried again. */
export const finalFailure: Failure = { ...passingFailure, retry: "never" };

/** A wait of a second for something, without a limit. */
export const aSecond: Postponement = {
  delayMs: 1_000,
  backoff,
  patienceMs: undefined,
  reason: "AWAY",
  message: "it is away",
};

/** The lease of a job that was claimed for a worker, one of workerNamed's by default. */
export function leaseOf({ id, token }: Pick<ClaimedJob, "id" | "token">, incarnation = "first"): HeldLease {
  return { jobId: id, token, incarnation };
}

/** Launches a job and claims it for the worker, which says hello first and names what it holds already. */
export async function startJob(
  { pool }: PoolUnderTest,
  worker = workerNamed("w1"),
  held: Lease[] = [],
): Promise<HeldLease> {
  const job = await pool.launch(demoJob);
  await pool.hello(worker, workerInfo, held);
  const { jobs } = await pool.claim(worker, demoTypes, 1);
  const token = jobs.find(({ id }) => id === job.id)?.token;
  if (token === undefined) throw new Error("the job was not the next one");
  return { jobId: job.id, token, incarnation: worker.incarnation };
}

/** The gzip of the job's report as one; undefined when there is none. */
export async function readReport(reports: ReportStore, jobId: string): Promise<Buffer | undefined> {
  const pieces = await reports.read(jobId);
  return pieces === undefined ? undefined : Buffer.concat(await Array.fromAsync(pieces));
}
