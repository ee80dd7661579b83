import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import { JobPostponed } from "@drydock/scanner-worker/domain/job-postponed.ts";
import type { Report } from "@drydock/scanner-worker/domain/report.ts";
import type { JobContext, JobType } from "@drydock/scanner-worker/ports/job.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { refusalOf } from "../support/refusal.ts";
import { anyJob } from "../support/small-job-types.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

const digest = `sha256:${"d".repeat(64)}`;
const report: Report = {
  ...{ schemaVersion: "1", reportId: "r-1", scanner: undefined, coverage: "UNSUPPORTED", headline: "nothing read" },
  artifact: {
    ...{ registryUrl: "http://registry", repository: "library/web", digest, tags: ["1.0"], mediaType: "m" },
    ...{ platform: { os: "linux", architecture: "arm64", variant: "v8" }, indexDigest: "", sizeBytes: 5 },
    configDigest: "sha256:c",
  },
  ...{ scanStartedAt: new Date(1_000), generatedAt: new Date(2_000), coverageNotes: ["os_unknown"] },
  ...{ layers: [], distributions: [], vulnerabilities: [], findings: [] },
  packages: Array.from({ length: 5_000 }, (_, at) => ({
    ...{ id: `p-${at}`, name: `package ${at} with a long name, so that the report has several parts`, version: "1" },
    ...{ versionFormat: "dpkg", namespace: "debian:12", layerDigest: digest, purl: "" },
  })),
  summary: {
    ...{ total: 0, unique: 0, fixable: 0, bySeverity: [], packageCount: 5_000, affectedPackageCount: 0 },
    maxSeverity: undefined,
  },
};

describe("a worker with a single slot", { timeout: 60_000 }, () => {
  let stack: Stack;
  let controller: Controller;
  let worker: WorkerService;
  let run: (context: JobContext) => Promise<void>;

  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    const jobTypes: JobType[] = [
      { ...anyJob, name: "LARGE", isSingleton: true, run: (context) => run(context) },
      { ...anyJob, name: "PART", run: async () => {} },
    ];
    worker = createWorker({
      settings: { controller: controller.address, workerId: "single", slots: 1, drainMs: 0 },
      jobTypes,
      logger: createLogger({ name: "large", level: "silent" }),
    });
    await worker.start();
  });
  after(async () => {
    await worker.stop();
    await stack.stop();
  });

  test("runs a job that waits for its many parts, page by page, each once, and one such job at a time", async () => {
    const { api } = controller;
    const pages: number[] = [];
    const counts: number[] = [];
    run = async (context) => {
      const { checkpoint, subJobs, launchedAt } = await context.runState();
      assert.ok(launchedAt.getTime() <= Date.now());
      for (let page = Number(checkpoint); page < 3; page++) {
        pages.push(page);
        const parts = Array.from({ length: 10 }, (_, at) => ({ key: `${page}-${at}`, name: "PART", parameters: {} }));
        const results = await context.launchJobs(parts);
        assert.ok(results.every((result) => "id" in result));
        // the first run is lost between the launch of the second page and its checkpoint
        if (pages.length === 2) throw new Error("fails");
        await context.saveCheckpoint(String(page + 1));
      }
      const { SUCCESS = 0 } = subJobs;
      counts.push(SUCCESS);
      if (SUCCESS < 30) throw new JobPostponed(`${SUCCESS} of 30 are done`, 100);
    };
    const { id } = await api.launch("LARGE", {});
    const second = await refusalOf(api.launch("LARGE", { text: "another" }));
    assert.deepEqual([second.code, second.resource?.name], ["ALREADY_EXISTS", id]);
    const done = await api.untilStatus(id, "SUCCESS", { withinMs: 40_000 });
    assert.deepEqual(pages, [0, 1, 1, 2]);
    assert.equal(
      done.executionTotals.reduce((sum, { count }) => sum + count, 0),
      30,
    );
    assert.equal((await api.list(id)).length, 30);
    assert.equal(counts.at(-1), 30);
  });

  test("reads a report as it was stored, and learns that it is there", async () => {
    const { api } = controller;
    const seen = Promise.withResolvers<unknown[]>();
    run = async (context) => {
      await context.storeReport(report);
      const image = { repository: "library/web", digest, tags: ["1.0"] };
      const [known] = await context.recordImages([image]);
      const other = `sha256:${"e".repeat(64)}`;
      seen.resolve([await context.readReport(digest), known?.reports.length, await context.readReport(other)]);
    };
    const { id } = await api.launch("LARGE", {});
    const [read, count, none] = await seen.promise;
    assert.deepEqual(read, report);
    assert.deepEqual([count, none], [1, undefined]);
    await api.untilStatus(id, "SUCCESS");
  });
});
