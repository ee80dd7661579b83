import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import { demo } from "@drydock/scanner-worker/jobs/demo.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { z } from "zod";

const parameters = z.strictObject({});

/** A job that launches three others, one after the other. */
const family: JobType<z.infer<typeof parameters>> = {
  name: "FAMILY",
  description: "Launches three jobs.",
  parameters,
  maxFails: 3,
  shouldRetry: () => true,
  validate() {},
  async run(context) {
    const { attempt, logger } = context;
    logger.info(`attempt ${attempt}: 3 jobs`);
    for (const key of ["a", "b", "c"]) {
      await context.launchJob({ key, name: demo.name, parameters: { image: "demo", steps: 3, step_ms: 100 } });
    }
    logger.info("done");
  },
};

/** Starts a worker for FAMILY in this process. */
export async function startFamilyWorker(controller: string): Promise<WorkerService> {
  const logger = createLogger({ name: "family", level: "error", format: "json" });
  const settings = { controller, workerId: "family", slots: 4, drainMs: 1_000 };
  const worker = createWorker({ settings, jobTypes: [family], logger });
  await worker.start();
  return worker;
}
