import { fileURLToPath } from "node:url";
import { type RunningProcess, startProcess } from "@drydock/demo/stack/processes.ts";
import { controllerFlags } from "@drydock/demo/stack/services.ts";
import type { Bench } from "../bench.ts";
import { startOne } from "./processes.ts";
import { startBenchRedis } from "./redis.ts";
import type { Side } from "./side.ts";
import { sumOf } from "./sum-of.ts";

const controllerMain = fileURLToPath(import.meta.resolve("@drydock/job-controller/main.ts"));

/** Starts Drydock: Redis, a controller, a client and a worker, which has made its job types known. */
export async function openDrydock(bench: Bench): Promise<Side> {
  await using parts = new AsyncDisposableStack();
  const redis = parts.use(await startBenchRedis());
  const controller = await startDrydockController(bench, redis.url);
  parts.defer(async () => void (await controller.stop()));
  const target = { BENCH_TARGET: String(controller.ready.grpc) };
  const client = parts.use(await startOne(bench, "drydock-client", target));
  const addWorker = async (id: string) =>
    owned.use(await startOne(bench, "drydock-worker", { ...target, BENCH_WORKER_ID: id }));
  let owned: Pick<AsyncDisposableStack, "use"> = parts;
  const worker = await addWorker("bench");
  await worker.call("start", 1, "kept");
  await worker.call("stop");
  const moved = parts.move();
  owned = moved;
  return {
    name: "Drydock",
    redis,
    client,
    worker,
    cpuSeconds: () =>
      sumOf([
        client.call("cpuSeconds"),
        worker.call("cpuSeconds"),
        redis.probe.cpuSeconds(),
        serviceCpuSeconds(controller),
      ]),
    addWorker,
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

/** Starts a controller. @param settings further ones, by the names of their variables */
export function startDrydockController(
  { profileDir }: Bench,
  redisUrl: string,
  settings: Record<string, string> = {},
): Promise<RunningProcess> {
  const profile = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  return startProcess({
    name: "the job-controller",
    command: process.execPath,
    args: [...controllerFlags, ...profile, controllerMain],
    env: {
      DRYDOCK_REDIS_URL: redisUrl,
      DRYDOCK_LISTEN: "127.0.0.1:0",
      DRYDOCK_OPS_LISTEN: "127.0.0.1:0",
      DRYDOCK_HTTP_LISTEN: "127.0.0.1:0",
      DRYDOCK_LOG_FORMAT: "json",
      DRYDOCK_MAX_WAITING: "2000000",
      ...settings,
    },
  });
}

/** The CPU time that a service has used, in seconds, as its own metrics tell it. */
export async function serviceCpuSeconds({ name, ready }: RunningProcess): Promise<number> {
  const metrics = await (await fetch(`http://${ready.ops}/metrics`)).text();
  const [, seconds] = /^process_cpu_seconds_total ([\d.e+-]+)/m.exec(metrics) ?? [];
  if (seconds === undefined) throw new Error(`the metrics of ${name} tell no CPU time`);
  return Number(seconds);
}
