import type { Bench } from "../bench.ts";
import { startOne } from "./processes.ts";
import { startBenchRedis } from "./redis.ts";
import type { Side } from "./side.ts";
import { sumOf } from "./sum-of.ts";

/** Starts BullMQ's side: Redis, a client and a worker. */
export async function openBullmq(bench: Bench): Promise<Side> {
  await using parts = new AsyncDisposableStack();
  const redis = parts.use(await startBenchRedis());
  const port = { BENCH_REDIS_PORT: String(redis.port) };
  const client = parts.use(await startOne(bench, "bullmq-client", port));
  const worker = parts.use(await startOne(bench, "bullmq-worker", port));
  const owned = parts.move();
  return {
    name: "BullMQ",
    redis,
    client,
    worker,
    cpuSeconds: () => sumOf([client.call("cpuSeconds"), worker.call("cpuSeconds"), redis.probe.cpuSeconds()]),
    addWorker: async () => owned.use(await startOne(bench, "bullmq-worker", port)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
