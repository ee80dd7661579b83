import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@drydock/demo/stack/free-port.ts";
import { type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { Redis } from "ioredis";
import { RedisProbe } from "./redis-probe.ts";

/** A Redis for one side, without persistence. */
export interface BenchRedis extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly probe: RedisProbe;
}

/** Starts a Redis. */
export async function startBenchRedis(): Promise<BenchRedis> {
  await using parts = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "drydock-bench-"));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const port = await freePort();
  const server = await startServer(port, directory);
  parts.defer(async () => void (await server.stop()));
  const redis = new Redis(port, "127.0.0.1", { maxRetriesPerRequest: 1 });
  redis.on("error", () => {});
  parts.defer(() => redis.disconnect());
  await redis.ping();
  const owned = parts.move();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    port,
    probe: new RedisProbe(redis),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function startServer(port: number, directory: string): Promise<RunningProcess> {
  const settings = {
    port: String(port),
    bind: "127.0.0.1",
    dir: directory,
    save: "",
    appendonly: "no",
    "maxmemory-policy": "noeviction",
    "slowlog-max-len": "10000",
    "slowlog-log-slower-than": "-1",
  };
  return startProcess({
    name: "Redis",
    command: "redis-server",
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    readReady: (line) => (line.includes("Ready to accept connections") ? { port } : undefined),
    installHint: "on Debian and Ubuntu it is in the package redis-server",
  });
}
