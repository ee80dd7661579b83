import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { sleep } from "@drydock/shared/abort.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { type Payload, payloadSchema } from "../payload.ts";
import { serve } from "../stack/serve.ts";
import type { WorkerApi } from "./api.ts";
import { cpuSeconds } from "./cpu-seconds.ts";
import { RunRecord } from "./run-record.ts";

const forEverMs = 2 ** 31 - 1;
const record = new RunRecord();
const common = { parameters: payloadSchema, maxFails: 1, shouldRetry: () => false, validate: () => {} };

const noop: JobType<Payload> = {
  ...common,
  name: "NOOP",
  description: "Does nothing.",
  run: async (_context, { launched_at }) => record.add(launched_at),
};

const hold: JobType<Payload> = {
  ...common,
  name: "HOLD",
  description: "Never ends by itself.",
  run: async ({ signal }, { launched_at }) => {
    record.add(launched_at);
    await sleep(forEverMs, signal);
  },
};

let worker: WorkerService | undefined;

serve<WorkerApi>({
  start: async (slots) => {
    worker = createWorker({
      settings: {
        controller: process.env.BENCH_TARGET ?? "",
        workerId: process.env.BENCH_WORKER_ID ?? "",
        slots,
        drainMs: 0,
      },
      jobTypes: [noop, hold],
      logger: createLogger({ level: "error", format: "json", name: "bench-worker" }),
    });
    await worker.start();
  },
  stop: async () => {
    await worker?.stop();
    worker = undefined;
  },
  takeRuns: async () => record.take(),
  cpuSeconds,
});
