import { readFileSync } from "node:fs";
import { type Clock, systemClock } from "@drydock/shared/clock.ts";
import { JobServiceService } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { ReportServiceService } from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import { WorkerServiceService } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { createHealthState } from "@drydock/shared/grpc/health.ts";
import { createGrpcServer } from "@drydock/shared/grpc/server.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { every } from "@drydock/shared/loop.ts";
import { createMetrics } from "@drydock/shared/metrics.ts";
import { createOpsServer } from "@drydock/shared/ops-server.ts";
import type { ControllerConfig } from "./config.ts";
import { defaultLeaseTerms, type LeaseTerms } from "./domain/lease-terms.ts";
import { createJobService } from "./grpc/job-service.ts";
import { createReportService } from "./grpc/report-service.ts";
import { createWorkerService } from "./grpc/worker-service.ts";
import { createRedisParts } from "./redis/parts.ts";
import { reap } from "./upkeep/reaper.ts";
import { runWhileMore } from "./upkeep/run-while-more.ts";
import { Dispatcher } from "./usecases/dispatcher.ts";
import { JobChanges } from "./usecases/job-changes.ts";
import { JobTypes } from "./usecases/job-types.ts";

/** How often each chore runs, in milliseconds. Together they are an idle controller's load on Redis. */
const periods = { reapMs: 500, promoteMs: 500, lookMs: 2_000, readinessMs: 250 };

/** The descriptors of the contract, for reflection. */
const descriptors = import.meta.resolve("@drydock/shared/gen/descriptors.binpb");

/** A job-controller that is put together and not yet started. */
export interface JobController {
  /** In the order in which they are to be started. */
  services: Service[];
  /** The addresses that are really bound; after the start. */
  addresses(): { grpc: string; ops: string };
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
  const { watch, signals, pool, logs, reports, typeStore } = createRedisParts({ config, clock, terms, logger });
  const metrics = createMetrics({ defaults: true });
  const health = createHealthState();
  const dispatcher = new Dispatcher(logger);
  const deps = { pool, logs, dispatcher, types: new JobTypes(typeStore), changes: new JobChanges() };
  signals.onReady((jobName) => dispatcher.wake(jobName));
  signals.onCommand((workerId, lease, command) => dispatcher.command(workerId, lease, command));
  signals.onTypes(() => void deps.types.reload().catch(() => {}));

  const server = createGrpcServer({
    listen: config.listen,
    services: [
      { definition: JobServiceService, implementation: createJobService({ ...deps, redis: watch, terms }) },
      {
        definition: WorkerServiceService,
        implementation: createWorkerService({ ...deps, reports, clock, terms, logger }),
      },
      { definition: ReportServiceService, implementation: createReportService({ reports, pool }) },
    ],
    health,
    descriptors: readFileSync(new URL(descriptors)),
    logger,
    metrics,
  });
  const ops = createOpsServer({
    listen: config.opsListen,
    ready: () => ({ ready: watch.up, checks: { redis: watch.up } }),
    metrics,
    logger,
  });
  const whenUp = (chore: () => Promise<unknown>) => async () => (watch.up ? chore() : undefined);
  const chores = [
    every(periods.readinessMs, async () => health.setAll(watch.up), { name: "readiness", logger }),
    every(periods.reapMs, (signal) => runWhileMore(() => reap({ pool, redis: watch, terms, clock }), signal), {
      name: "reaper",
      logger,
      jitter: 0.2,
    }),
    every(periods.promoteMs, (signal) => whenUp(() => runWhileMore(() => pool.promote(), signal))(), {
      name: "promoter",
      logger,
      jitter: 0.2,
    }),
    every(
      periods.lookMs,
      whenUp(() => lookAround(dispatcher)),
      { name: "look-around", logger },
    ),
  ];
  return {
    services: [watch, signals, ...chores, ops, server],
    addresses: () => ({ grpc: server.address, ops: ops.address }),
  };
}

/** Wake-ups between controllers may be lost, and so may assignments. */
async function lookAround(dispatcher: Dispatcher): Promise<void> {
  dispatcher.lookEverywhere();
  for (const session of dispatcher.sessions) await session.takeBackUnheard();
}
