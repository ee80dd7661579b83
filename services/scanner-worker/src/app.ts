import { randomUUID } from "node:crypto";
import { systemClock } from "@drydock/shared/clock.ts";
import type { Service } from "@drydock/shared/lifecycle.ts";
import type { Logger } from "@drydock/shared/logger.ts";
import { createMetrics, type Metrics } from "@drydock/shared/metrics.ts";
import { createOpsServer } from "@drydock/shared/ops-server.ts";
import packageJson from "../package.json" with { type: "json" };
import type { ScanSettings, WorkerConfig, WorkerSettings } from "./config.ts";
import { ControllerLink } from "./controller/link.ts";
import { LogStream } from "./controller/log-stream.ts";
import { toJobType } from "./controller/messages.ts";
import { ReportUploader } from "./controller/report-uploader.ts";
import { SubJobClient } from "./controller/sub-job-client.ts";
import { WorkStream } from "./controller/work-stream.ts";
import { demo } from "./jobs/demo.ts";
import { createImageScan } from "./jobs/image-scan.ts";
import type { JobType } from "./ports/job.ts";
import type { Scanner } from "./ports/scanner.ts";
import type { Credential } from "./registry/credential.ts";
import { createHttpClient } from "./registry/http-client.ts";
import { createRegistryClients } from "./registry/registry-clients.ts";
import { Worker } from "./runtime/worker.ts";
import { createClairClient } from "./scanners/clair-v1/client.ts";
import { createClairV1 } from "./scanners/clair-v1/scanner.ts";

/** What a worker is made of. */
export interface WorkerOptions {
  settings: WorkerSettings;
  jobTypes: readonly JobType[];
  /** What JobContext.get gives. Default: nothing. */
  properties?: Readonly<Record<string, unknown>>;
  logger: Logger;
  /** Called when the worker has nothing more to do: the controller drained it, or a newer process took its id. */
  onGone?: (why: "drained" | "superseded") => void;
}

/** A worker with its connection to the controller. start resolves when the controller has welcomed it. */
export interface WorkerService extends Service {
  readonly isConnected: boolean;
  /** How many jobs run. */
  readonly runCount: number;
}

/** Makes a worker that runs these job types. */
export function createWorker({ settings, jobTypes, properties = {}, logger, onGone }: WorkerOptions): WorkerService {
  const { controller, workerId, slots, drainMs } = settings;
  const link = new ControllerLink(controller);
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
    properties,
  };
  const settled = Promise.withResolvers<void>();
  const worker = new Worker({
    source,
    services,
    jobTypes,
    slots,
    drainMs,
    logger,
    onWelcome: () => {
      logs.retry();
      settled.resolve();
    },
    ...(onGone && { onGone }),
  });
  return {
    name: "worker",
    get isConnected() {
      return source.isConnected;
    },
    get runCount() {
      return worker.runCount;
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

/** Makes the scanner-worker: a worker that knows IMAGE_SCAN and DEMO, and its HTTP server for operators. */
export function createScannerWorker(
  config: WorkerConfig,
  logger: Logger,
  onGone: NonNullable<WorkerOptions["onGone"]>,
): ScannerWorker {
  const scanning = createScanning(config.scan);
  const jobTypes: JobType[] = [{ ...scanning.imageScan, ...config.scanLimits }, demo];
  const properties = propertiesOf(config.scan);
  const worker = createWorker({ settings: config, jobTypes, properties, logger, onGone });
  const metrics = createMetrics({ defaults: true });
  addWorkerMetrics(metrics, worker, config.slots);
  const ops = createOpsServer({
    listen: config.opsListen,
    ready: () => ({ ready: worker.isConnected, checks: { controller: worker.isConnected || "not connected" } }),
    metrics,
    logger,
  });
  return { services: [scanning, ops, worker], opsAddress: () => ops.address };
}

/** IMAGE_SCAN with the connections that it needs. */
function createScanning(scan: ScanSettings): Service & { imageScan: JobType } {
  const userAgent = `drydock/${packageJson.version}`;
  const registryHttp = createHttpClient({ party: "REGISTRY", userAgent });
  const scannerHttp = createHttpClient({ party: "SCANNER", userAgent });
  const registries = createRegistryClients({ http: registryHttp, credential: credentialOf(scan) });
  const scanner: Scanner | undefined =
    scan.clairUrl === undefined
      ? undefined
      : createClairV1({ client: createClairClient({ url: scan.clairUrl, send: scannerHttp.send }) });
  return {
    name: "scanning",
    imageScan: createImageScan({ registries, scanner, clock: systemClock }),
    start: async () => {},
    stop: async () => {
      await Promise.all([registryHttp.stop(), scannerHttp.stop()]);
    },
  };
}

function credentialOf({ registryUsername, registryPassword }: ScanSettings): Credential {
  if (registryUsername === undefined) return { kind: "none" };
  return { kind: "basic", username: registryUsername, password: registryPassword ?? "" };
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
