import { type Job, Worker } from "bullmq";
import type { Payload } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { WorkerApi } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";
import { RunRecord } from "./run-record.ts";

const connection = { host: "127.0.0.1", port: Number(process.env.BENCH_REDIS_PORT), maxRetriesPerRequest: null };
const record = new RunRecord();
let worker: Worker | undefined;

async function run({ name, data }: Job<Payload>): Promise<void> {
  record.add(data.launched_at);
  if (name === "HOLD") await new Promise(() => {});
}

serve<WorkerApi>({
  start: async (concurrency, finished) => {
    const removeOnComplete = finished === "removed" ? { removeOnComplete: { count: 0 } } : {};
    worker = new Worker<Payload>("bench", run, { connection, concurrency, ...removeOnComplete });
    worker.on("error", () => {});
    await worker.waitUntilReady();
  },
  stop: async () => {
    await worker?.close();
    worker = undefined;
  },
  takeRuns: async () => record.take(),
  cpuSeconds,
});
