import assert from "node:assert/strict";
import { join } from "node:path";
import { type ReadyFacts, type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { type RedisServer, type RedisSync, startRedis } from "@drydock/demo/stack/redis.ts";
import { controllerFlags, workerFlags } from "@drydock/demo/stack/services.ts";
import { auditRedis } from "./audit.ts";
import { JobApi } from "./job-api.ts";

const root = join(import.meta.dirname, "..", "..");

/** The environment of a service, without the parts that the stack knows. */
export type Settings = Record<string, string>;

/** A job-controller that runs as a process of its own. */
export interface Controller {
  process: RunningProcess;
  /** host:port of its gRPC server. */
  address: string;
  /** Its HTTP server for operators, as a URL. */
  opsUrl: string;
  api: JobApi;
}

/** Settings of a worker that registers IMAGE_SCAN and never gets to scan: nothing listens there. */
export const scanNowhere: Settings = {
  DRYDOCK_REGISTRY_URL: "http://127.0.0.1:1",
  DRYDOCK_CLAIR_URL: "http://127.0.0.1:1",
};

/** Redis, controllers and workers as processes of their own. */
export class Stack implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly #running: RunningProcess[] = [];
  readonly #apis: JobApi[] = [];
  #workers = 0;

  constructor(redis: RedisServer) {
    this.redis = redis;
  }

  /** Starts a controller; `DRYDOCK_LISTEN` in the settings says where, by default a free port. */
  async startController(settings: Settings = {}): Promise<Controller> {
    const process = await this.#start("job-controller", {
      DRYDOCK_REDIS_URL: this.redis.url,
      DRYDOCK_LISTEN: "127.0.0.1:0",
      ...settings,
    });
    const address = String(process.ready.grpc);
    const api = new JobApi(address);
    this.#apis.push(api);
    return { process, address, opsUrl: `http://${process.ready.ops}`, api };
  }

  /** Starts a worker named worker-1, worker-2 and so on. */
  startWorker({ address }: Controller, settings: Settings = {}): Promise<RunningProcess> {
    this.#workers += 1;
    return this.#start("scanner-worker", {
      DRYDOCK_CONTROLLER: address,
      DRYDOCK_WORKER_ID: `worker-${this.#workers}`,
      ...settings,
    });
  }

  /** Ends everything, at once, and audits what is left in Redis. */
  async stop(): Promise<void> {
    for (const api of this.#apis) api.close();
    await Promise.all(this.#running.map((process) => process.kill()));
    const faults = await auditRedis(this.redis);
    await this.redis.stop();
    assert.deepEqual(faults, [], "the pool agrees with itself");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(service: "job-controller" | "scanner-worker", settings: Settings): Promise<RunningProcess> {
    const flags = service === "job-controller" ? controllerFlags : workerFlags;
    const running = await startProcess({
      name: service,
      command: process.execPath,
      args: [...flags, join(root, "services", service, "src", "main.ts")],
      readReady,
      // many start side by side
      readyTimeoutMs: 45_000,
      env: {
        DRYDOCK_OPS_LISTEN: "127.0.0.1:0",
        DRYDOCK_HTTP_LISTEN: "127.0.0.1:0",
        DRYDOCK_LOG_FORMAT: "json",
        ...settings,
      },
    });
    this.#running.push(running);
    return running;
  }
}

/** The addresses of a service that is ready, or of a controller that waits for its Redis. */
function readReady(line: string): ReadyFacts | undefined {
  if (!line.startsWith("{")) return undefined;
  const facts = JSON.parse(line) as ReadyFacts;
  return facts.msg === "ready" || String(facts.msg).startsWith("listening; ") ? facts : undefined;
}

/** Starts the Redis of a stack; the rest is started through the stack. Stop it when the tests are over. */
export async function startStack(sync?: RedisSync): Promise<Stack> {
  return new Stack(await startRedis(sync));
}
