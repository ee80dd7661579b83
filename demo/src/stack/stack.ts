import { createRegistry, type Registry } from "../registry/registry.ts";
import { type CountingProxy, createCountingProxy } from "./counting-proxy.ts";
import { describeExit, ProcessError, type RunningProcess } from "./processes.ts";
import { type RedisServer, startRedis } from "./redis.ts";
import {
  type ControllerProcess,
  type ScannerProcess,
  startController,
  startScanner,
  startWorker,
  type WorkerProcess,
} from "./services.ts";

/** Everything that scanning takes, each part a process of its own on a free port. */
export interface Stack {
  redis: RedisServer;
  registry: Registry;
  scanner: ScannerProcess;
  controller: ControllerProcess;
  workers: WorkerProcess[];
  /** What stands between the workers and registry and scanner, and counts what these are asked. */
  counted: { registry: CountingProxy; scanner: CountingProxy };
  /** Aborts, with a ProcessError as its reason, when a part ends unasked. */
  failed: AbortSignal;
  /** Calls the listener for each part that ends or has ended unasked. */
  onEnd(listener: (error: ProcessError) => void): void;
  /** Ends all parts, the last one first. Safe to call twice. */
  stop(): Promise<void>;
}

/** How to start a stack. */
export interface StackOptions {
  /** How many workers. Default 2. */
  workers?: number;
  /** Ends the start when it aborts; then nothing is left. */
  signal?: AbortSignal;
}

/**
 * Starts Redis, a registry with its token server, the evaluation scanner, a job-controller and workers.
 * @throws ProcessError when a part does not start; then nothing is left
 */
export async function startStack({ workers: workerCount = 2, signal }: StackOptions = {}): Promise<Stack> {
  const parts = new AsyncDisposableStack();
  /** Notes how to stop the part once it has started. */
  const add = async <T>(starting: Promise<T>, stop: (part: T) => Promise<unknown>): Promise<T> => {
    const part = await starting;
    parts.defer(async () => void (await stop(part)));
    return part;
  };
  try {
    const [redis, registry, scanner] = await allStarted([
      add(startRedis(), (part) => part.stop()),
      add(startRegistry(), (part) => part.stop()),
      add(startScanner(), ({ process }) => process.stop()),
    ]);
    signal?.throwIfAborted();
    const counted = { registry: createCountingProxy(registry.url), scanner: createCountingProxy(scanner.url) };
    for (const proxy of Object.values(counted)) await add(proxy.start(), () => proxy.stop());
    const controller = await add(startController({ redisUrl: redis.url }), ({ process }) => process.stop());
    signal?.throwIfAborted();
    const workers = await allStarted(
      Array.from({ length: workerCount }, (_, index) => {
        const name = `scanner-worker-${index + 1}`;
        const scannedRegistry = { url: counted.registry.url, ...registry.reader };
        const env = { DRYDOCK_WORKER_ID: name, DRYDOCK_REGISTRY_SCANNER_URL: registry.url };
        const scannerUrl = counted.scanner.url;
        const options = { name, env, controller: controller.grpc, registry: scannedRegistry, scannerUrl };
        return add(startWorker(options), ({ process }) => process.stop());
      }),
    );
    signal?.throwIfAborted();
    const processes = [redis, registry, scanner, controller, ...workers].map(({ process }) => process);
    return { redis, registry, scanner, controller, workers, counted, ...supervise(processes, parts) };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

async function startRegistry(): Promise<Registry> {
  const registry = createRegistry();
  await registry.start();
  return registry;
}

/** Waits for all, also when one has failed, so that what starts late is not forgotten. */
async function allStarted<T extends readonly unknown[]>(starting: readonly [...{ [K in keyof T]: Promise<T[K]> }]) {
  await Promise.allSettled(starting);
  return Promise.all(starting);
}

function supervise(processes: RunningProcess[], parts: AsyncDisposableStack): Pick<Stack, "failed" | "onEnd" | "stop"> {
  const failure = new AbortController();
  let stopping: Promise<void> | undefined;
  const onEnd: Stack["onEnd"] = (listener) => {
    for (const { name, exited, log } of processes) {
      void exited.then((exit) => {
        if (stopping === undefined) listener(new ProcessError(`${name} ended with ${describeExit(exit)}`, log()));
      });
    }
  };
  onEnd((error) => failure.abort(error));
  return {
    failed: failure.signal,
    onEnd,
    stop: () => {
      stopping ??= parts.disposeAsync();
      return stopping;
    },
  };
}
