import { setTimeout as sleep } from "node:timers/promises";
import { type Job, Queue } from "bullmq";
import { createPayload, nowMs } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { ClientApi } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";
import { inParallel, inTurn, steadily } from "./pace.ts";

const pollMs = 10;
const bulk = 1_000;
const sampleEvery = 500;

const connection = { host: "127.0.0.1", port: Number(process.env.BENCH_REDIS_PORT) };
const queue = new Queue("bench", { connection });
queue.on("error", () => {});
let sample: Job[] = [];
let launches = 0;

async function add(name = "NOOP"): Promise<void> {
  const job = await queue.add(name, createPayload());
  if (launches++ % sampleEvery === 0) sample.push(job);
}

async function addBulk(): Promise<void> {
  const entries = Array.from({ length: bulk }, () => ({ name: "NOOP", data: createPayload() }));
  const [first] = await queue.addBulk(entries);
  if (first !== undefined) sample.push(first);
}

async function untilDone(): Promise<number> {
  for (;;) {
    const counts = await queue.getJobCounts("wait", "active", "delayed", "prioritized", "failed");
    const { failed = 0, ...open } = counts;
    if (failed > 0) throw new Error(`${failed} jobs failed`);
    if (Object.values(open).every((count) => count === 0)) break;
    await sleep(pollMs);
  }
  sample = [];
  return nowMs();
}

async function readAndStop(count: number): Promise<void> {
  for (const job of sample.splice(-count)) {
    await job.getState();
    await job.remove();
  }
}

serve<ClientApi>({
  launch: (count, inFlight) => inParallel(count, inFlight, () => add()),
  launchInBulk: (count, callsInFlight) => inParallel(Math.ceil(count / bulk), callsInFlight, addBulk),
  launchInTurn: (count) => inTurn(count, () => add()),
  launchSteadily: (perSecond, seconds) => steadily(perSecond, seconds, () => add()),
  launchHeld: async (count) => void (await inParallel(count, count, () => add("HOLD"))),
  untilDone,
  readAndStop,
  cpuSeconds,
});
