import type { Clock } from "@drydock/shared/clock.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import type { LeaseTerms } from "../domain/lease-terms.ts";
import type { CheckpointStore } from "../ports/checkpoint-store.ts";
import type { HookOutbox } from "../ports/hook-outbox.ts";
import type { JobIndex } from "../ports/job-index.ts";
import type { JobTypeStore } from "../ports/job-type-store.ts";
import type { LayerLocks } from "../ports/layer-locks.ts";
import type { LogStore } from "../ports/log-store.ts";
import type { FirstFoundStore, PolicyStore } from "../ports/policy-store.ts";
import type { QueueControl } from "../ports/queue-control.ts";
import type { ReportQueries } from "../ports/report-queries.ts";
import type { ReportStore } from "../ports/report-store.ts";
import type { ScheduleStore } from "../ports/schedule-store.ts";
import { createRedisCheckpointStore } from "./checkpoint/checkpoint-store.ts";
import { ConnectionWatch, createListener, createPoolConnection } from "./connection.ts";
import { createRedisHookOutbox } from "./hooks/hook-outbox.ts";
import { RedisJobPool } from "./life/job-pool.ts";
import { createRedisLayerLocks } from "./locks/layer-locks.ts";
import { createRedisLogStore } from "./log/log-store.ts";
import { createRedisJobIndex } from "./operators/job-index.ts";
import { createRedisJobTypeStore } from "./operators/job-type-store.ts";
import { createRedisQueueControl } from "./operators/queue-control.ts";
import { createRedisFirstFoundStore } from "./policies/first-found-store.ts";
import { createRedisPolicyStore } from "./policies/policy-store.ts";
import { createRedisReportQueries } from "./reports/report-queries.ts";
import { createRedisReportStore } from "./reports/report-store.ts";
import { createRedisScheduleStore } from "./schedule/schedule-store.ts";
import { defineScript, type OnFault, Shard } from "./shards/shard.ts";
import { Shards } from "./shards/shards.ts";
import { RedisSignals } from "./signals.ts";

/** How long a job's log may become, in bytes. */
const maxLogBytes = 1024 * 1024;

/** What the Redis parts are made from. */
export interface RedisPartsOptions {
  config: { redisUrl: string; shards: number; keepReportsMs: number; reportsPerImage: number };
  clock: Clock;
  terms: LeaseTerms;
  logger: Logger;
  onFault: OnFault;
}

/** Everything that Redis is the home of, over one connection for commands and one for listening. */
export interface RedisParts {
  watch: ConnectionWatch;
  signals: RedisSignals;
  pool: RedisJobPool;
  schedules: ScheduleStore;
  hooks: HookOutbox;
  index: JobIndex;
  queues: QueueControl;
  logs: LogStore;
  checkpoints: CheckpointStore;
  layerLocks: LayerLocks;
  reports: ReportStore;
  reportQueries: ReportQueries;
  typeStore: JobTypeStore;
  policies: PolicyStore;
  firstFound: FirstFoundStore;
}

/** Makes the Redis parts; watch and signals are to be started and stopped. */
export function createRedisParts({ config, clock, terms, logger, onFault }: RedisPartsOptions): RedisParts {
  const redis = defineScript(createPoolConnection(config.redisUrl, config.shards));
  const listener = createListener(config.redisUrl);
  const shards = new Shards(config.shards, (number) => new Shard(number, redis, clock, onFault));
  const signals = new RedisSignals({ listener, shards, logger });
  const { keepReportsMs: keepMs, reportsPerImage } = config;
  return {
    watch: new ConnectionWatch({ redis, signals, logger }),
    signals,
    pool: new RedisJobPool({ redis, shards, terms, clock }),
    schedules: createRedisScheduleStore(redis, shards, clock),
    hooks: createRedisHookOutbox(redis, shards),
    index: createRedisJobIndex(shards),
    queues: createRedisQueueControl(redis, shards, clock),
    logs: createRedisLogStore(shards, maxLogBytes),
    checkpoints: createRedisCheckpointStore(redis, shards),
    layerLocks: createRedisLayerLocks(shards),
    reports: createRedisReportStore({ redis, shards, clock, keepMs, reportsPerImage }),
    reportQueries: createRedisReportQueries({ redis, shards, clock, keepMs }),
    typeStore: createRedisJobTypeStore(redis),
    policies: createRedisPolicyStore({ redis, shards, clock }),
    firstFound: createRedisFirstFoundStore(redis, shards),
  };
}
