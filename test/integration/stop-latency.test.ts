import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import type { JobType } from "@drydock/scanner-worker/ports/job.ts";
import { sleep } from "@drydock/shared/abort.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { z } from "zod";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const jobsOfWorker = 50;
/** What 99 of 100 stops take at most. */
const promisedMs = 1_000;
const forEverMs = 2 ** 31 - 1;
const parameters = z.strictObject({});

describe("a stop or cancel", { timeout: 60_000 }, () => {
  let stack: Stack;
  let controllers: [Controller, Controller];
  const workers: WorkerService[] = [];
  /** When the handler of each job began, and when it was told to end. */
  const begun = new Set<string>();
  const reported = new Map<string, number>();

  const typeNamed = (name: string): JobType => ({
    ...{ name, description: "for tests", parameters, maxFails: 1, shouldRetry: () => true, validate() {} },
    async run({ jobId, signal }) {
      signal.addEventListener("abort", () => reported.set(jobId, performance.now()), { once: true });
      begun.add(jobId);
      await sleep(forEverMs, signal);
    },
  });

  before(async () => {
    stack = await startStack();
    controllers = await Promise.all([stack.startController(), stack.startController()]);
    for (const [at, { address }] of controllers.entries()) {
      const [name, logger] = [`NEAR_${at}`, createLogger({ name: "stopped", level: "silent" })];
      const settings = { controller: address, workerId: name, slots: jobsOfWorker, drainMs: 0 };
      const worker = createWorker({ settings, jobTypes: [typeNamed(name)], logger });
      workers.push(worker);
      await worker.start();
    }
  });
  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await stack.stop();
  });

  /** Launches jobs that fill both workers; each with the controller that its worker is not connected to. */
  async function fillWorkers() {
    const [a, b] = controllers;
    const launches = [a, b].flatMap((near, at) =>
      Array.from({ length: jobsOfWorker }, async () => {
        const { id } = await near.api.launch(`NEAR_${at}`, {});
        return { id, far: near === a ? b : a };
      }),
    );
    const jobs = await Promise.all(launches);
    await until(
      "all handlers are at work",
      () => jobs.filter(({ id }) => begun.has(id)).length,
      (count) => count === jobs.length,
    );
    return jobs;
  }

  for (const [command, end] of [
    ["stop", "STOPPED"],
    ["cancel", "CANCELLED"],
  ] as const) {
    test(`of 100 jobs at once, each at the controller that its worker is not connected to, reaches 99 handlers within a second: ${command}`, async (context) => {
      const jobs = await fillWorkers();
      const asked = performance.now();
      await Promise.all(jobs.map(({ id, far }) => far.api[command](id)));
      for (const { id, far } of jobs) await far.api.untilStatus(id, end);
      const delays = jobs.map(({ id }) => (reported.get(id) ?? Number.POSITIVE_INFINITY) - asked).sort((x, y) => x - y);
      const [p99 = Number.NaN, worst = Number.NaN] = delays.slice(-2);
      context.diagnostic(`99 of 100 within ${p99.toFixed(0)} ms, the last within ${worst.toFixed(0)} ms`);
      assert.equal(delays.length, 100);
      assert.ok(p99 <= promisedMs, delays.map((ms) => ms.toFixed(0)).join());
    });
  }
});
