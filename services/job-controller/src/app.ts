import { readFileSync } from "node:fs";
import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer } from "@drydock/shared/grpc/server.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { every } from "@drydock/shared/loop.ts";
import { createMetrics, type Metrics } from "@drydock/shared/metrics.ts";
import { createOpsServer, type Readiness } from "@drydock/shared/ops-server.ts";
import type { ControllerConfig } from "./config.ts";
import type { HeldLease } from "./domain/job.ts";
import { defaultLeaseTerms, type LeaseTerms } from "./domain/lease-terms.ts";
import { createExploitationFiles } from "./feeds/exploitation-files.ts";
import { toHookBody } from "./grpc/hook-body.ts";
import { PolicyDecorator } from "./grpc/policy-decorator.ts";
import { createServices } from "./grpc/services.ts";
import { createHookMetrics } from "./hooks/hook-metrics.ts";
import { createHttpSender } from "./hooks/http-sender.ts";
import { createHttpApi } from "./http/http-api.ts";
import type { RedisProbe } from "./ports/redis-health.ts";
import type { ControllerSignals } from "./ports/signals.ts";
import { createPostgresParts, type PostgresParts } from "./postgres/parts.ts";
import { createRedisParts, type RedisParts } from "./redis/parts.ts";
import { JsonParameterSchemas } from "./schemas/parameter-schemas.ts";
import { type ChoreDeps, createChores } from "./upkeep/chores.ts";
import { DueLoop } from "./upkeep/due-loop.ts";
import { HookDeliverer } from "./upkeep/hook-deliverer.ts";
import { createMemoryRelief } from "./upkeep/memory-relief.ts";
import { Reaper } from "./upkeep/reaper.ts";
import { measureFill } from "./usecases/check-status.ts";
import type { UseCaseDeps } from "./usecases/deps.ts";
import { Dispatcher } from "./usecases/dispatcher.ts";
import { fireSchedules } from "./usecases/fire-schedules.ts";
import { FirstFound } from "./usecases/first-found.ts";
import { JobChanges } from "./usecases/job-changes.ts";
import { JobFaults } from "./usecases/job-faults.ts";
import { JobTypes } from "./usecases/job-types.ts";
import { PolicyBook } from "./usecases/policy-book.ts";
import { PoolLimits } from "./usecases/pool-limits.ts";
import { addQueueMetrics, addRejectMetric } from "./usecases/queue-metrics.ts";
import { RecentCapacities } from "./usecases/recent-capacities.ts";
import { ReportJudge } from "./usecases/report-judge.ts";

/** How often health follows Redis, in milliseconds. */
const readinessMs = 250;

/** What launches on their way to Redis can take together, in bytes: 256 of the largest. */
const launchBudgetBytes = 64 * 1024 * 1024;

/** The descriptors of the contract, for reflection. */
const descriptors = import.meta.resolve("@drydock/shared/gen/descriptors.binpb");

/** A job-controller that is put together and not yet started. */
export interface JobController {
  /** In the order in which they are to be started. */
  services: Service[];
  /** The addresses that are really bound; after the start. */
  addresses(): { grpc: string; ops: string; http: string };
  /** Calls can be served while it is up. */
  redis: RedisProbe;
}

/** What tests replace. */
export interface ControllerOverrides {
  clock?: Clock;
  terms?: LeaseTerms;
}

/** Puts a job-controller together. */
export function createJobController(
  config: ControllerConfig,
  logger: Logger,
  { clock = systemClock, terms = { ...defaultLeaseTerms, refusalMs: config.refusalMs } }: ControllerOverrides = {},
): JobController {
  const metrics = createMetrics({ defaults: true });
  const health = createHealthState();
  const faults = new JobFaults(logger, clock);
  const redis = createRedisParts({ config, clock, terms, logger, onFault: faults.log });
  const home = createReportHome({ config, redis, clock, logger });
  const parts = { config, redis, home, metrics, faults, clock, logger };
  const deps = createDeps(parts);
  const { files, ...judging } = createJudging(parts);
  const { services: upkeep, reaper } = createUpkeep(parts, { ...deps, exploitation: files });
  const { watch, layerLocks } = redis;
  const { reports, reportQueries: queries, watch: reportStore } = home;
  addQueueMetrics(metrics, { ...deps, redis: watch });
  const server = createGrpcServer({
    listen: config.listen,
    services: createServices({
      ...{ ...deps, ...judging, redis: watch, reports, queries, reportStore, layerLocks, terms, logger },
      onReject: addRejectMetric(metrics),
    }),
    health,
    descriptors: readFileSync(new URL(descriptors)),
    logger,
    metrics,
  });
  const ops = createOpsServer({ listen: config.opsListen, ready: () => readinessOf(parts, reaper), metrics, logger });
  const http = createHttpApi({ listen: config.httpListen, deps, logger });
  const readiness = every(readinessMs, async () => health.setAll(watch.up), { name: "readiness", logger });
  const watches = reportStore === undefined ? [watch] : [watch, reportStore];
  return {
    services: [...watches, redis.signals, files, ...upkeep, readiness, ops, http, server],
    addresses: () => ({ grpc: server.address, ops: ops.address, http: http.address }),
    redis: watch,
  };
}

/** What the other parts are made from. */
interface Parts {
  config: ControllerConfig;
  redis: RedisParts;
  home: ReportHome;
  metrics: Metrics;
  faults: JobFaults;
  clock: Clock;
  logger: Logger;
}

/** Where reports are kept, and what watches it unless that is Redis. */
type ReportHome = Pick<PostgresParts, "reports" | "reportQueries"> & { watch?: PostgresParts["watch"] };

function createReportHome({ config, redis, clock, logger }: Omit<Parts, "home" | "metrics" | "faults">): ReportHome {
  const { postgresUrl: url, keepReportsMs, reportsPerImage } = config;
  if (url === undefined) return { reports: redis.reports, reportQueries: redis.reportQueries };
  const checkLease = (lease: HeldLease) => redis.reports.checkLease(lease);
  return createPostgresParts({ config: { url, keepReportsMs, reportsPerImage }, checkLease, clock, logger });
}

/** What the use cases work with. */
function createDeps({ config, redis, clock, logger }: Parts): UseCaseDeps {
  const { watch, pool, schedules, hooks, index, queues, logs, checkpoints, typeStore } = redis;
  const { maxWaiting, allowLinkLocalHooks } = config;
  const terms = { maxWaiting, inFlightBytes: launchBudgetBytes, memoryPart: 0.95 };
  const limits = new PoolLimits(terms, () => measureFill({ queues, redis: watch }));
  const types = new JobTypes({ store: typeStore, schemas: new JsonParameterSchemas(), pool, logger });
  const [dispatcher, changes, capacities] = [
    new Dispatcher(logger),
    new JobChanges(),
    new RecentCapacities({ pool, queues, clock }),
  ];
  const shared = { dispatcher, types, changes, limits, capacities, clock, allowLinkLocalHooks };
  return { pool, schedules, hooks, index, queues, logs, checkpoints, ...shared };
}

/** What says which images may run, and by which data. */
function createJudging({ config, redis, clock, logger }: Parts) {
  const { policies } = redis;
  const { kevFile, epssFile } = config;
  const files = createExploitationFiles({ kevFile, epssFile, clock, logger });
  const book = new PolicyBook(policies, clock);
  const judge = new ReportJudge({ book, firstFound: new FirstFound(redis.firstFound), exploitation: files, clock });
  const decorator = new PolicyDecorator({ exploitation: files, judge });
  return { files, policies, book, judge, decorator, exploitation: files, dataFiles: files };
}

type UpkeepDeps = UseCaseDeps & Pick<ChoreDeps, "exploitation">;

/** The background work: loops that wake when something is due, and chores that run periodically. */
function createUpkeep({ config, redis, home, metrics, faults, clock, logger }: Parts, deps: UpkeepDeps) {
  const { pool, schedules, hooks, types } = deps;
  const { watch, signals } = redis;
  const promoter = new DueLoop({ name: "promoter", run: () => pool.promote(), clock, logger });
  const isSingleton = (name: string) => types.isSingleton(name);
  const fire = () => fireSchedules({ schedules, clock, isSingleton, onFault: faults.log });
  const scheduler = new DueLoop({ name: "scheduler", run: fire, clock, logger });
  const { hookSecret: secret, allowLinkLocalHooks: allowLinkLocal, proxies, keep } = config;
  const sender = createHttpSender({ secret, allowLinkLocal, proxies });
  const onSettled = createHookMetrics(metrics, hooks);
  const deliverer = new HookDeliverer({ hooks, sender, pool, toBody: toHookBody, onSettled, clock, logger });
  listen(signals, { ...deps, dueLoops: [promoter, scheduler], deliverer });
  const reaper = new Reaper({ pool, redis: watch, clock });
  const relief = createMemoryRelief(metrics, { pool, redis: watch, logger });
  const { reports, reportQueries } = home;
  const chores = createChores({ ...deps, reports, reportQueries, reaper, redis: watch, relief, keep, logger });
  return { services: [promoter, scheduler, deliverer, ...chores], reaper };
}

/**
 * Lost signals do not make the controller unready: it polls instead, which is slower. Neither does the store of reports, which
 * jobs wait for.
 */
function readinessOf({ redis: { watch, signals }, home }: Parts, { fault }: Reaper): Readiness {
  const { up, cause } = watch;
  const checks = { redis: cause ?? up, signals: signals.fault ?? true, reaper: fault ?? true };
  const reportStore = home.watch && { reportStore: home.watch.cause ?? home.watch.up };
  return { ready: up && fault === undefined, checks: { ...checks, ...reportStore } };
}

interface Listeners {
  dispatcher: Dispatcher;
  dueLoops: DueLoop[];
  deliverer: HookDeliverer;
  types: JobTypes;
  clock: Clock;
}

/** Connects the signals of all controllers to what they wake. */
function listen(signals: ControllerSignals, { dispatcher, dueLoops, deliverer, types, clock }: Listeners): void {
  const readTypes = () => void types.reload().catch(() => {});
  const wakeAt = (at: number) => {
    for (const loop of dueLoops) loop.wakeAt(at);
  };
  signals.onReady((jobName) => dispatcher.wake(jobName));
  signals.onCommand((workerId, lease, command) => dispatcher.command(workerId, lease, command));
  signals.onDrain((workerId, incarnation) => dispatcher.drainWorker(workerId, incarnation));
  signals.onDue(wakeAt);
  signals.onHook((at) => deliverer.wakeAt(at));
  signals.onTypes(readTypes);
  signals.onListening(() => {
    readTypes();
    dispatcher.lookEverywhere();
    wakeAt(clock.now());
    deliverer.wakeAt(clock.now());
  });
}
