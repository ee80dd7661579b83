import { readFileSync } from "node:fs";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import { JobServiceService } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { QueueServiceService } from "@drydock/shared/gen/drydock/job/v1/queue_service.ts";
import { ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer, type ServedService } from "@drydock/shared/grpc/server.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { every } from "@drydock/shared/loop.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { createOpsServer, type Readiness } from "@drydock/shared/ops-server.ts";
import type { ControllerConfig } from "./config.ts";
import { defaultLeaseTerms, type LeaseTerms } from "./domain/lease-terms.ts";
import { AnswerMemory, maxAnswerBytes } from "./grpc/answer-memory.ts";
import { toHookBody } from "./grpc/hook-body.ts";
import { createJobService, type JobServiceDeps } from "./grpc/job-service.ts";
import { createQueueService } from "./grpc/queue-service.ts";
import { createReportService } from "./grpc/report-service.ts";
import { createWorkerService, type WorkerServiceDeps } from "./grpc/worker-service.ts";
import { createHookMetrics } from "./hooks/hook-metrics.ts";
import { createHttpSender } from "./hooks/http-sender.ts";
import type { RedisProbe } from "./ports/redis-health.ts";
import type { ControllerSignals } from "./ports/signals.ts";
import { createRedisParts } from "./redis/parts.ts";
import { JsonParameterSchemas } from "./schemas/parameter-schemas.ts";
import { createChores } from "./upkeep/chores.ts";
import { DueLoop } from "./upkeep/due-loop.ts";
import { HookDeliverer } from "./upkeep/hook-deliverer.ts";
import { createMemoryRelief } from "./upkeep/memory-relief.ts";
import { Reaper } from "./upkeep/reaper.ts";
import { measureFill } from "./usecases/check-status.ts";
import { Dispatcher } from "./usecases/dispatcher.ts";
import { fireSchedules } from "./usecases/fire-schedules.ts";
import { JobChanges } from "./usecases/job-changes.ts";
import { JobFaults } from "./usecases/job-faults.ts";
import { JobTypes } from "./usecases/job-types.ts";
import { KeyLimits } from "./usecases/key-limits.ts";
import { PoolLimits } from "./usecases/pool-limits.ts";
import { addQueueMetrics, addRejectMetric } from "./usecases/queue-metrics.ts";

/** How often health follows Redis, in milliseconds. */
const readinessMs = 250;

/** What the answers that may be large can take together while they are made, in bytes: 8 at once keep the processor busy. */
const makingBudgetBytes = 8 * maxAnswerBytes;
/** What the answers can take together that nobody has read, in bytes: those above 64 KiB, and the smaller ones. */
const unreadLargeBytes = 128 * 1024 * 1024;
const unreadSmallBytes = 64 * 1024 * 1024;
/** Answers wait half a second for the clients of others to read theirs. They are few, as what waits is in memory too. */
const unreadWait = { waitMs: 500, maxWaiting: 200 };
/** What the reports on their way in can take together, in bytes: eight of the largest. */
const uploadBudgetBytes = 128 * 1024 * 1024;

/** The descriptors of the contract, for reflection. */
const descriptors = import.meta.resolve("@drydock/shared/gen/descriptors.binpb");

/** A job-controller that is put together and not yet started. */
export interface JobController {
  /** In the order in which they are to be started. */
  services: Service[];
  /** The addresses that are really bound; after the start. */
  addresses(): { grpc: string; ops: string };
  /** Calls can be served while it is up. */
  redis: RedisProbe;
}

/** What may be other than in production. */
export interface ControllerOverrides {
  clock?: Clock;
  terms?: LeaseTerms;
}

/** Puts a job-controller together. */
export function createJobController(
  config: ControllerConfig,
  logger: Logger,
  { clock = systemClock, terms = defaultLeaseTerms }: ControllerOverrides = {},
): JobController {
  const faults = new JobFaults(logger, clock);
  const { watch, signals, pool, schedules, hooks, index, queues, logs, reports, typeStore } = createRedisParts({
    config,
    clock,
    terms,
    logger,
    onFault: faults.tell,
  });
  const metrics = createMetrics({ defaults: true });
  const health = createHealthState();
  const dispatcher = new Dispatcher(logger);
  const { maxWaiting, allowLinkLocalHooks, proxies } = config;
  const limits = new PoolLimits({ maxWaiting, memoryPart: 0.95 }, () => measureFill({ queues, redis: watch }));
  const capacities = () => pool.capacities();
  const types = new JobTypes({ store: typeStore, schemas: new JsonParameterSchemas(), capacities, logger });
  const [changes, keyLimits] = [new JobChanges(), new KeyLimits(pool, clock)];
  const shared = { dispatcher, types, changes, limits, keyLimits, clock, allowLinkLocalHooks };
  const deps = { pool, schedules, hooks, index, queues, logs, ...shared };
  const promoter = new DueLoop({ name: "promoter", run: () => pool.promote(), clock, logger });
  const scheduler = new DueLoop({
    name: "scheduler",
    run: () => fireSchedules({ schedules, clock, onFault: faults.tell }),
    clock,
    logger,
  });
  const sender = createHttpSender({ secret: config.hookSecret, allowLinkLocal: allowLinkLocalHooks, proxies });
  addQueueMetrics(metrics, { pool, queues, types, redis: watch, clock });
  const onSettled = createHookMetrics(metrics, hooks);
  const deliverer = new HookDeliverer({ hooks, sender, pool, toBody: toHookBody, onSettled, clock, logger });
  listen(signals, { dispatcher, dueLoops: [promoter, scheduler], deliverer, types, clock });

  const reaper = new Reaper({ pool, redis: watch, clock });
  const server = createGrpcServer({
    listen: config.listen,
    services: createServices({ ...deps, redis: watch, reports, terms, logger, onReject: addRejectMetric(metrics) }),
    health,
    descriptors: readFileSync(new URL(descriptors)),
    logger,
    metrics,
  });
  const ops = createOpsServer({
    listen: config.opsListen,
    ready: () => readinessOf(watch, reaper),
    metrics,
    logger,
  });
  const relief = createMemoryRelief(metrics, { pool, redis: watch, logger });
  const chores = createChores({ ...deps, reaper, redis: watch, relief, keep: config.keep, logger });
  const readiness = every(readinessMs, async () => health.setAll(watch.up), { name: "readiness", logger });
  return {
    services: [watch, signals, promoter, scheduler, deliverer, ...chores, readiness, ops, server],
    addresses: () => ({ grpc: server.address, ops: ops.address }),
    redis: watch,
  };
}

type ServiceDeps = Omit<JobServiceDeps & WorkerServiceDeps, "memory" | "uploads">;

/** The services of the contract, and what their calls may hold in memory together. */
function createServices(deps: ServiceDeps): ServedService[] {
  const memory = new AnswerMemory({
    making: new ByteBudget({ name: "answers", bytes: makingBudgetBytes }),
    unreadLarge: new ByteBudget({ name: "large unread answers", bytes: unreadLargeBytes, ...unreadWait }),
    unreadSmall: new ByteBudget({ name: "unread answers", bytes: unreadSmallBytes, ...unreadWait }),
  });
  const uploads = new ByteBudget({ name: "report uploads", bytes: uploadBudgetBytes });
  return [
    { definition: JobServiceService, implementation: createJobService({ ...deps, memory }) },
    { definition: WorkerServiceService, implementation: createWorkerService({ ...deps, uploads, memory }) },
    { definition: QueueServiceService, implementation: createQueueService({ ...deps, memory }) },
    { definition: ReportServiceService, implementation: createReportService({ ...deps, memory }) },
  ];
}

function readinessOf({ up, cause }: RedisProbe, { fault }: Reaper): Readiness {
  return { ready: up && fault === undefined, checks: { redis: cause ?? up, reaper: fault ?? true } };
}

interface Listeners {
  dispatcher: Dispatcher;
  dueLoops: DueLoop[];
  deliverer: HookDeliverer;
  types: JobTypes;
  clock: Clock;
}

/** What other controllers tell, and this one itself. */
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
