import { setTimeout as sleep } from "node:timers/promises";
import { type Job, Queue } from "bullmq";
import { createPayload, nowMs } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { ClientApi, Touches } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";
import { inParallel, steadily, timed } from "./pace.ts";
import { Sample } from "./sample.ts";

const pollMs = 10;
const bulk = 1_000;
/** Jobs of a page of a list. */
const pageSize = 50;

const connection = { host: "127.0.0.1", port: Number(process.env.BENCH_REDIS_PORT) };
const queue = new Queue("bench", { connection });
queue.on("error", () => {});
/** Of the jobs launched in bulk. */
const bulkSample = new Sample<Job>(10);

async function add(name = "NOOP"): Promise<void> {
  await queue.add(name, createPayload());
}

async function addBulk(): Promise<void> {
  const entries = Array.from({ length: bulk }, () => ({ name: "NOOP", data: createPayload() }));
  for (const job of await queue.addBulk(entries)) bulkSample.add(job);
}

async function untilDone(): Promise<number> {
  for (;;) {
    const counts = await queue.getJobCounts("wait", "active", "delayed", "prioritized", "failed");
    const { failed = 0, ...open } = counts;
    if (failed > 0) throw new Error(`${failed} jobs failed`);
    if (Object.values(open).every((count) => count === 0)) break;
    await sleep(pollMs);
  }
  bulkSample.clear();
  return nowMs();
}

async function touch(count: number): Promise<Touches> {
  const jobs = bulkSample.take(count);
  return {
    read: await timed(jobs, ({ id }) => queue.getJob(id ?? "")),
    list: await timed(jobs, () => queue.getJobs("wait", 0, pageSize - 1)),
    stop: await timed(jobs, (job) => job.remove()),
  };
}

serve<ClientApi>({
  launch: (count, inFlight) => inParallel(count, inFlight, () => add()),
  launchInBulk: (count, callsInFlight) => inParallel(Math.ceil(count / bulk), callsInFlight, addBulk),
  launchInTurn: (count) => timed(Array.from({ length: count }), () => add()),
  launchSteadily: (perSecond, seconds) => steadily(perSecond, seconds, () => add()),
  launchHeld: async (count) => void (await inParallel(count, count, () => add("HOLD"))),
  untilDone,
  touch,
  cpuSeconds,
});
