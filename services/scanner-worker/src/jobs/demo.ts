import { sleep } from "@drydock/shared/abort.ts";
import { z } from "zod";
import { JobFailure } from "../domain/job-failure.ts";
import type { JobContext, JobType } from "../ports/job.ts";
import { wordedPattern } from "./worded-pattern.ts";

// A job type in one file: copy it to write your own, then add yours to the list in app.ts.

// 1. The parameters. The controller gets them as a JSON schema and refuses launches that break it. strictObject also
//    refuses parameters that nobody knows, which are typing errors as a rule.
const parameters = z.strictObject({
  image: wordedPattern(/^demo/, 'must start with "demo"').max(255).describe("What to play with."),
  steps: z.int().min(1).max(100).default(10).describe("How many steps to take."),
  step_ms: z.int().min(0).max(10_000).default(200).describe("How long a step takes, in milliseconds."),
  fail: z
    .enum(["never", "once", "always"])
    .default("never")
    .describe("Whether to fail half-way: in the first attempt only (once), or in each."),
});

/** The parameters of DEMO. */
export type DemoParameters = z.infer<typeof parameters>;

/** The job type DEMO: touches no image, and shows everything that a job can do. */
export const demo: JobType<DemoParameters> = {
  name: "DEMO",
  description: "Counts its steps. Shows progress, logs, retries, stop and cancel without touching an image.",
  parameters,

  // 2. Failure. When run throws, the job runs again after a back-off, until three attempts have failed or shouldRetry
  //    says that another one makes no sense.
  maxFails: 3,
  shouldRetry: () => true,

  // 3. What a schema can't say, such as rules over two parameters, is checked here, before each attempt.
  validate({ steps, step_ms }) {
    if (steps * step_ms <= 600_000) return;
    throw new JobFailure("PARAMETERS_INVALID", "steps times step_ms must be at most ten minutes", { retryable: false });
  },

  // 4. The work.
  async run(context, { image, steps, step_ms, fail }) {
    const { logger, signal } = context;

    // These lines are the job's log: users read them with GetJobLogData, live if they like.
    logger.info(`attempt ${context.attempt}: ${steps} steps of ${step_ms} ms with ${image}`);

    for (let step = 1; step <= steps; step += 1) {
      // Handed the signal, every wait ends as soon as the run must end: a user stopped or cancelled the job, its time
      // is over, the worker shuts down. The wait throws then, and throwing on is all there is to do.
      await sleep(step_ms, signal);

      // Work that takes no signal asks from time to time instead, and returns.
      const command = context.opCommand();
      if (command !== undefined) {
        logger.warn(`asked to ${command} in step ${step}`);
        return;
      }

      // A check-in shows users how far the job is. Say it as often as you like: the newest is sent.
      context.checkin(`step ${step} of ${steps}`, { phase: "demo", percent: Math.round((step / steps) * 100) });
      logger.debug(`step ${step} of ${steps} done`);

      if (step === Math.ceil(steps / 2)) failOnRequest(context, fail);
    }

    // Returning means success.
    logger.info("done");
  },
};

// A JobFailure carries a stable word that programs can rely on; any other error becomes HANDLER_ERROR.
function failOnRequest({ attempt, logger }: JobContext, fail: DemoParameters["fail"]): void {
  if (fail === "never" || (fail === "once" && attempt > 1)) return;
  logger.error("failing, as I was asked to");
  throw new JobFailure("DEMO_FAILURE", `attempt ${attempt} fails because fail is "${fail}"`, { retryable: true });
}
