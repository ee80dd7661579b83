// A worker for jobs that keep checkpoints: keeper-main.ts controller file. It appends to the file what it asks and is answered.

import { appendFileSync } from "node:fs";
import { createWorker } from "@drydock/scanner-worker/app.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { sleep } from "@drydock/shared/abort.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { z } from "zod";
import type { CheckpointEvent } from "./history-record.ts";

const [controller = "", file = ""] = process.argv.slice(2);
const stepCount = 4;
/** After so many steps the first attempt fails, so that a second one goes on. */
const failsAfter = 2;

function tell(jobId: string, event: CheckpointEvent): void {
  // at once, so that it outlives the process
  appendFileSync(file, `${JSON.stringify({ jobId, event })}\n`);
}

const keeping: JobType<object> = {
  name: "KEEPING",
  description: "Keeps how far it is in its checkpoint.",
  parameters: z.strictObject({}),
  maxFails: 3,
  shouldRetry: () => true,
  validate() {},
  async run(context) {
    const { jobId, attempt, logger, signal } = context;
    logger.info(`attempt ${attempt}: ${stepCount} steps`);
    const { checkpoint } = await context.runState();
    tell(jobId, { kind: "read", text: checkpoint });
    const begun = Number(checkpoint.split(" ")[0]);
    for (let step = 1; step <= stepCount; step++) {
      if (step > begun) {
        const text = `${step} of attempt ${attempt}, ${process.pid}`;
        tell(jobId, { kind: "asked", text });
        await context.saveCheckpoint(text);
        tell(jobId, { kind: "saved", text });
        await sleep(150, signal);
        if (attempt === 1 && step === failsAfter) throw new Error("the first attempt fails on the way");
      }
      logger.debug(`step ${step} of ${stepCount} done`);
    }
    logger.info("done");
  },
};

const logger = createLogger({ name: "keeper", level: "error", format: "json" });
const settings = { controller, workerId: "keeper", slots: 4, drainMs: 1_000 };
await createWorker({ settings, jobTypes: [keeping], logger }).start();
console.log(JSON.stringify({ msg: "ready" }));
