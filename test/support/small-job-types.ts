import type { JobContext, JobType } from "@drydock/scanner-worker/ports/job.ts";
import { z } from "zod";

/** What small job types of tests have in common. */
export const anyJob = {
  description: "A test.",
  parameters: z.object({ text: z.string().default("") }),
  maxFails: 2,
  shouldRetry: () => true,
  validate: () => {},
};

/** Ends at once. */
export const quick: JobType = { ...anyJob, name: "QUICK", run: async () => {} };
/** Ends when the test says so or its signal aborts. */
export const held = () => {
  const end = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<JobContext>();
  const run: JobType["run"] = async (context) => {
    begun.resolve(context);
    const { signal } = context;
    signal.addEventListener("abort", () => end.reject(signal.reason));
    await end.promise;
  };
  return { type: { ...anyJob, name: "HELD", run }, begun: begun.promise, end: end.resolve };
};
