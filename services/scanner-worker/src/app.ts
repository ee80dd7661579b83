import { randomUUID } from "node:crypto";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { createMetrics, type Metrics } from "@drydock/shared/metrics.ts";
import { createOpsServer } from "@drydock/shared/ops-server.ts";
import packageJson from "../package.json" with { type: "json" };
import type { ScanSettings, WorkerConfig, WorkerSettings } from "./config.ts";
import { ImageClient } from "./controller/image-client.ts";
import { LayerLockClient } from "./controller/layer-lock-client.ts";
import { ControllerLink } from "./controller/link.ts";
import { LogStream } from "./controller/log-stream.ts";
import { toJobType } from "./controller/messages.ts";
import { ReportUploader } from "./controller/report-uploader.ts";
import { RunStateClient } from "./controller/run-state-client.ts";
import { SubJobClient } from "./controller/sub-job-client.ts";
import { WorkStream } from "./controller/work-stream.ts";
import { demo } from "./jobs/demo.ts";
import type { JobType } from "./ports/job.ts";
import type { ClosedType } from "./ports/job-source.ts";
import { Worker } from "./runtime/worker.ts";
import { createScanning } from "./scanning.ts";

/** What a worker is made of. */
export interface WorkerOptions {
  settings: WorkerSettings;
  jobTypes: readonly JobType[];
  /** The job types that it is not set up for, and why. */
  unregistered?: readonly ClosedType[];
  /** What JobContext.get gives. Default: nothing. */
  properties?: Readonly<Record<string, unknown>>;
  logger: Logger;
  /** Called when the worker has nothing more to do: the controller drained it, or a newer process took its id. */
  onGone?: (why: "drained" | "superseded") => void;
  /** Called when it takes no more jobs of a type, because what they need is away. */
  onTypeClosed?: (jobType: string, reason: string) => void;
}

/** A worker with its connection to the controller. start resolves when the controller has welcomed it. */
export interface WorkerService extends Service {
  readonly isConnected: boolean;
  /** How many jobs run. */
  readonly runCount: number;
  /** The job types that it takes no jobs of, those that it is not set up for included. */
  readonly closed: readonly ClosedType[];
}

/** Makes a worker that runs these job types. */
export function createWorker(options: WorkerOptions): WorkerService {
  const { settings, jobTypes, unregistered, properties = {}, logger, onGone, onTypeClosed } = options;
  const { controller, workerId, slots, drainMs, proxies } = settings;
  const link = new ControllerLink(controller, proxies);
  const incarnation = randomUUID();
  const identity = {
    workerId,
    incarnation,
    version: packageJson.version,
    jobTypes: jobTypes.map(toJobType),
  };
  const source = new WorkStream({ link, identity, logger });
  const logs = new LogStream({ link, incarnation, logger });
  const services = {
    logs,
    reports: new ReportUploader(link, incarnation),
    subJobs: new SubJobClient(link, incarnation),
    runStates: new RunStateClient(link, incarnation),
    images: new ImageClient(link, incarnation),
    layerLocks: new LayerLockClient(link, incarnation),
    properties,
  };
  const settled = Promise.withResolvers<void>();
  const worker = new Worker({
    workerId,
    source,
    services,
    jobTypes,
    unregistered,
    slots,
    drainMs,
    logger,
    onWelcome: () => {
      logs.retry();
      settled.resolve();
    },
    ...(onGone && { onGone }),
    ...(onTypeClosed && { onTypeClosed }),
  });
  return {
    name: "worker",
    get isConnected() {
      return source.isConnected;
    },
    get runCount() {
      return worker.runCount;
    },
    get closed() {
      return worker.closed;
    },
    start: async () => {
      await worker.start();
      await settled.promise;
    },
    stop: async (signal) => {
      settled.resolve();
      await worker.stop(signal);
      await logs.stop();
      link.close();
    },
  };
}

/** A scanner-worker, ready to be started. */
export interface ScannerWorker {
  /** In the order to start them. */
  services: readonly Service[];
  /** The address really bound; only after the start. */
  opsAddress(): string;
}

/** Makes the scanner-worker: a worker that knows DEMO and, when it is set up for them, the jobs of scans, and its HTTP server. */
export function createScannerWorker(
  config: WorkerConfig,
  logger: Logger,
  onGone: NonNullable<WorkerOptions["onGone"]>,
): ScannerWorker {
  const scanning = createScanning(config, logger);
  const jobTypes: JobType[] = [...scanning.jobTypes, demo];
  const properties = propertiesOf(config.scan);
  const metrics = createMetrics({ defaults: true });
  const onTypeClosed = countClosings(metrics);
  const { unregistered } = scanning;
  for (const { jobType, reason } of unregistered) onTypeClosed(jobType, reason);
  const worker = createWorker({ settings: config, jobTypes, unregistered, properties, logger, onGone, onTypeClosed });
  addWorkerMetrics(metrics, worker, config.slots);
  addTypeMetrics(metrics, worker, jobTypes);
  const ops = createOpsServer({
    listen: config.opsListen,
    ready: () => ({ ready: worker.isConnected, checks: checksOf(worker, jobTypes) }),
    metrics,
    logger,
  });
  return { services: [scanning, ops, worker], opsAddress: () => ops.address };
}

/** A closed type is no reason to be not ready: the worker still takes the others, and opens it again by itself. */
function checksOf(worker: WorkerService, jobTypes: readonly JobType[]): Record<string, true | string> {
  const closed = worker.closed.map(({ jobType, reason, message }) => [jobType, `closed: ${reason}: ${message}`]);
  return {
    controller: worker.isConnected || "not connected",
    ...Object.fromEntries(jobTypes.map(({ name }) => [name, true])),
    ...Object.fromEntries(closed),
  };
}

/** What jobs may ask for with JobContext.get; no secrets. */
function propertiesOf(scan: ScanSettings): Record<string, unknown> {
  return {
    registry_url: scan.registryUrl,
    registry_scanner_url: scan.registryScannerUrl,
    scanner: scan.scanner,
    clair_url: scan.clairUrl,
  };
}

function addWorkerMetrics(metrics: Metrics, worker: WorkerService, slots: number): void {
  metrics.gauge({ name: "drydock_worker_slots", help: "How many jobs may run at once." }).set(slots);
  metrics.gauge({
    name: "drydock_worker_running_jobs",
    help: "How many jobs run now.",
    collect: (gauge) => gauge.set(worker.runCount),
  });
  metrics.gauge({
    name: "drydock_worker_connected",
    help: "Whether the controller has welcomed the worker: 1 or 0.",
    collect: (gauge) => gauge.set(worker.isConnected ? 1 : 0),
  });
}

function addTypeMetrics(metrics: Metrics, worker: WorkerService, jobTypes: readonly JobType[]): void {
  metrics.gauge({
    name: "drydock_worker_type_open",
    help: "Whether the worker takes jobs of the type: 1, or 0 while what they need is away or it is not set up for them.",
    labels: ["type"],
    collect: (gauge) => {
      for (const { name } of jobTypes) gauge.set({ type: name }, 1);
      for (const { jobType } of worker.closed) gauge.set({ type: jobType }, 0);
    },
  });
}

function countClosings(metrics: Metrics): (jobType: string, reason: string) => void {
  const closings = metrics.counter({
    name: "drydock_worker_type_closings_total",
    help: "How often the worker stopped taking jobs of the type, or began without taking any, by the reason.",
    labels: ["type", "reason"],
  });
  return (type, reason) => closings.inc({ type, reason });
}
