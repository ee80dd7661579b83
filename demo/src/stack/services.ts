import { fileURLToPath } from "node:url";
import { type RunningProcess, startProcess } from "./processes.ts";

/** A process that serves under an address. */
export interface ServiceProcess {
  process: RunningProcess;
}

/** A job-controller that runs. */
export interface ControllerProcess extends ServiceProcess {
  /** Where it serves gRPC, host:port. */
  grpc: string;
  /** Where it serves /healthz, /readyz and /metrics, host:port. */
  ops: string;
}

/** A scanner-worker that runs. */
export interface WorkerProcess extends ServiceProcess {
  /** Where it serves /healthz, /readyz and /metrics, host:port. */
  ops: string;
}

/** An evaluation scanner that runs. */
export interface ScannerProcess extends ServiceProcess {
  /** Without a slash at the end. */
  url: string;
}

/** What every service process can be given. */
export interface ServiceOptions {
  /** As errors name it. */
  name?: string;
  /** Settings by their variables; they go before the ones below. */
  env?: Record<string, string>;
}

/**
 * Flags of Node for a controller: V8 gives new objects 64 MiB by itself under load, twice over, which is a tenth of what a
 * controller under attack may take.
 */
export const controllerFlags: readonly string[] = ["--max-semi-space-size=16"];

/**
 * Flags of Node for a worker, most of whose memory would be garbage otherwise: V8 lets a heap grow to several times what is in
 * use before it collects. With these it collects when the heap has grown by a fifth.
 */
export const workerFlags: readonly string[] = ["--max-semi-space-size=4", "--heap-growing-percent=20"];

/** Starts a job-controller on free ports. */
export async function startController(options: ServiceOptions & { redisUrl: string }): Promise<ControllerProcess> {
  const process = await startNode("services/job-controller/src/main.ts", {
    name: options.name ?? "job-controller",
    flags: controllerFlags,
    env: {
      DRYDOCK_REDIS_URL: options.redisUrl,
      DRYDOCK_LISTEN: "127.0.0.1:0",
      DRYDOCK_OPS_LISTEN: "127.0.0.1:0",
      DRYDOCK_HTTP_LISTEN: "127.0.0.1:0",
      ...options.env,
    },
  });
  return { process, grpc: addressOf(process, "grpc"), ops: addressOf(process, "ops") };
}

/** What a worker works with. */
export interface WorkerOptions extends ServiceOptions {
  /** The controller's gRPC address. */
  controller: string;
  /** Where images come from. Default: nowhere. */
  registry?: { url: string; username: string; password: string };
  /** The URL of a scanner with the API of Clair 2.x. Default: none. */
  scannerUrl?: string;
}

/** Starts a scanner-worker with a free port for operators. */
export async function startWorker({
  controller,
  registry,
  scannerUrl,
  ...options
}: WorkerOptions): Promise<WorkerProcess> {
  const process = await startNode("services/scanner-worker/src/main.ts", {
    name: options.name ?? "scanner-worker",
    flags: workerFlags,
    env: {
      DRYDOCK_CONTROLLER: controller,
      DRYDOCK_OPS_LISTEN: "127.0.0.1:0",
      ...(registry && {
        DRYDOCK_REGISTRY_URL: registry.url,
        DRYDOCK_REGISTRY_USERNAME: registry.username,
        DRYDOCK_REGISTRY_PASSWORD: registry.password,
      }),
      ...(scannerUrl !== undefined && { DRYDOCK_SCANNER: "clair-v1", DRYDOCK_CLAIR_URL: scannerUrl }),
      ...options.env,
    },
  });
  return { process, ops: addressOf(process, "ops") };
}

/** Starts an evaluation scanner on a free port. */
export async function startScanner(options: ServiceOptions = {}): Promise<ScannerProcess> {
  const process = await startNode("demo/src/scanner/main.ts", {
    name: options.name ?? "evaluation scanner",
    env: { EVALUATION_SCANNER_LISTEN: "127.0.0.1:0", ...options.env },
  });
  return { process, url: addressOf(process, "url") };
}

interface NodeOptions extends Required<ServiceOptions> {
  flags?: readonly string[];
}

/** @param entry from the repository's root */
function startNode(entry: string, { name, env, flags = [] }: NodeOptions): Promise<RunningProcess> {
  const path = fileURLToPath(new URL(`../../../${entry}`, import.meta.url));
  return startProcess({ name, command: process.execPath, args: [...flags, path], env });
}

function addressOf({ name, ready }: RunningProcess, field: string): string {
  const address = ready[field];
  if (typeof address !== "string") throw new Error(`${name} did not say its ${field} address`);
  return address;
}
