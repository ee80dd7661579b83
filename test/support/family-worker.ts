import { createHash, randomUUID } from "node:crypto";
import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import type { Report } from "@drydock/scanner-worker/domain/report.ts";
import { demo } from "@drydock/scanner-worker/jobs/demo.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { sleep } from "@drydock/shared/abort.ts";
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
    for (const [at, key] of ["a", "b", "c"].entries()) {
      await context.launchJob({ key, name: demo.name, parameters: { image: "demo", steps: 3, step_ms: 100 } });
      logger.debug(`job ${at + 1} of 3 done`);
    }
    logger.info("done");
  },
};

/** A job that stores a report, and tells when that was acknowledged. */
function createReporting(onStored: (jobId: string, reportId: string) => void): JobType<z.infer<typeof parameters>> {
  return {
    name: "REPORTING",
    description: "Stores a report.",
    parameters,
    maxFails: 3,
    shouldRetry: () => true,
    validate() {},
    async run(context) {
      const { jobId, attempt, logger, signal } = context;
      logger.info(`attempt ${attempt}: 2 steps`);
      for (const step of [1, 2]) {
        const report = reportNamed(randomUUID(), jobId);
        await context.storeReport(report);
        onStored(jobId, report.reportId);
        logger.debug(`step ${step} of 2 done`);
        await sleep(100, signal);
      }
      logger.info("done");
    },
  };
}

/** A report of an image of the job's own, of which only so many reports are kept. */
function reportNamed(reportId: string, jobId: string): Report {
  const image = { registryUrl: "", repository: "", tags: [], mediaType: "", platform: undefined };
  const digest = `sha256:${createHash("sha256").update(jobId).digest("hex")}`;
  const [at, summary] = [
    new Date(),
    { total: 0, unique: 0, fixable: 0, bySeverity: [], packageCount: 0, affectedPackageCount: 0 },
  ];
  return {
    artifact: { ...image, digest, indexDigest: "", sizeBytes: 0, configDigest: "" },
    ...{ schemaVersion: "1", reportId, scanner: undefined, scanStartedAt: at, generatedAt: at },
    ...{ headline: "", coverage: "FULL", coverageNotes: [], layers: [], distributions: [], packages: [] },
    ...{ vulnerabilities: [], findings: [], summary: { ...summary, maxSeverity: undefined } },
  };
}

/**
 * Starts a worker for FAMILY and REPORTING in this process.
 * @param onStored told of each report that was acknowledged
 */
export async function startFamilyWorker(
  controller: string,
  onStored: (jobId: string, reportId: string) => void,
): Promise<WorkerService> {
  const logger = createLogger({ name: "family", level: "error", format: "json" });
  const settings = { controller, workerId: "family", slots: 4, drainMs: 1_000 };
  const worker = createWorker({ settings, jobTypes: [family, createReporting(onStored)], logger });
  await worker.start();
  return worker;
}
