import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createWorker, type WorkerService } from "@drydock/scanner-worker/app.ts";
import { JobPostponed } from "@drydock/scanner-worker/domain/job-postponed.ts";
import type { JobContext, JobType } from "@drydock/scanner-worker/ports/job.ts";
import { sleep } from "@drydock/shared/abort.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { z } from "zod";
import type { SeenJob } from "../support/job-api.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

const parameters = z.looseObject({});
const forEverMs = 2 ** 31 - 1;

/** What the handlers of a test do; the test sets it before it launches. */
type Run = (context: JobContext) => Promise<void>;

describe("a job's handler", { timeout: 60_000 }, () => {
  let stack: Stack;
  let controller: Controller;
  let worker: WorkerService;
  const runs = new Map<string, Run>();

  const typeNamed = (name: string, rest: Partial<JobType> = {}): JobType => ({
    ...{ name, description: "for tests", parameters, maxFails: 2, shouldRetry: () => true, validate() {} },
    run: (context) => (runs.get(name) ?? assert.fail(name))(context),
    ...rest,
  });

  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    worker = createWorker({
      settings: { controller: controller.address, workerId: "handlers", slots: 8, drainMs: 0 },
      jobTypes: [
        ...["LATER", "PARENT", "CHILD", "LATE_PARENT", "SCAN_ALL"].map((name) => typeNamed(name)),
        typeNamed("SLOW", { timeoutMs: 200, maxFails: 1 }),
      ],
      logger: createLogger({ name: "handlers", level: "silent" }),
    });
    await worker.start();
  });
  after(async () => {
    await worker.stop();
    await stack.stop();
  });

  test("asks for another run later, which uses no attempt and shows why it waits", async () => {
    const { api } = controller;
    const attempts: number[] = [];
    runs.set("LATER", async ({ attempt }) => {
      attempts.push(attempt);
      if (attempts.length < 4) throw new JobPostponed("the registry answers 429", 400);
    });
    const { id } = await api.launch("LATER", {});
    const waits = await api.until(id, "waits", ({ status }) => status === "SCHEDULED");
    assert.deepEqual([waits.attempt, waits.checkIn, waits.lastError], [0, "the registry answers 429", undefined]);
    assert.ok((waits.runAt?.getTime() ?? 0) > (waits.updateTime?.getTime() ?? 0));
    const done = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([done.attempt, attempts], [1, [1, 1, 1, 1]], "more runs than attempts that may fail");
  });

  test("that asked for a run much later is stopped while it waits", async () => {
    const { api } = controller;
    runs.set("LATER", () => Promise.reject(new JobPostponed("closed over night", 3_600_000)));
    const { id } = await api.launch("LATER", {});
    await api.until(id, "waits", ({ status }) => status === "SCHEDULED");
    assert.equal((await api.stop(id)).status, "STOPPED");
  });

  test("ends when the time limit of its type is over, or that of its launch before", async () => {
    const { api } = controller;
    runs.set("SLOW", ({ signal }) => sleep(forEverMs, signal));
    const { id } = await api.launch("SLOW", {});
    const late = await api.untilStatus(id, "ERROR");
    assert.equal(late.lastError?.reason, "TIMEOUT");
    const tookMs = (late.endTime?.getTime() ?? 0) - (late.startTime?.getTime() ?? 0);
    assert.ok(tookMs >= 190 && tookMs < 5_000, `${tookMs} ms`);

    runs.set("LATER", ({ signal }) => sleep(forEverMs, signal));
    const policy = { maxAttempts: 1, runTimeout: { seconds: 0, nanos: 3e8 } };
    const limited = await api.launchAs({ job: { name: "LATER", policy } });
    assert.equal((await api.untilStatus(limited.id, "ERROR")).lastError?.reason, "TIMEOUT");
  });

  test("launches many jobs at once, each once, also when it is run again", async () => {
    const { api } = controller;
    const launched: string[][] = [];
    runs.set("CHILD", async () => {});
    runs.set("PARENT", async (context) => {
      const jobs = Array.from({ length: 20 }, () => context.launchJob({ name: "CHILD", parameters: {} }));
      launched.push((await Promise.all(jobs)).map(({ id }) => id));
      if (context.attempt === 1) throw new Error("fails after it has launched them");
    });
    const { id } = await api.launch("PARENT", {});
    await api.untilStatus(id, "SUCCESS");
    const [first = [], second] = launched;
    assert.equal(new Set(first).size, 20);
    assert.deepEqual(second, first);
    const parent = await api.until(id, "counts them", ({ executionTotals }) => executionTotals[0]?.count === 20);
    assert.deepEqual(parent.executions.toSorted(), first.toSorted());
    assert.equal((await api.list(id)).length, 20);
  });

  test("says how often a sub-job may be tried, and labels it", async () => {
    const { api } = controller;
    runs.set("CHILD", () => Promise.reject(new Error("fails")));
    runs.set("PARENT", async (context) => {
      const labels = { round: "one" };
      await context.launchJob({ name: "CHILD", parameters: {}, policy: { maxAttempts: 1 }, labels });
    });
    const { id } = await api.launch("PARENT", {});
    await api.untilStatus(id, "SUCCESS");
    const [child] = await api.list(id);
    const failed = await api.untilStatus(child?.id ?? "", "ERROR");
    assert.deepEqual([failed.attempt, failed.labels, failed.fairnessKey], [1, { round: "one" }, id]);
  });

  test("takes the jobs of its jobs with it when it is stopped", async () => {
    const { api } = controller;
    runs.set("CHILD", ({ signal }) => sleep(forEverMs, signal));
    runs.set("PARENT", async (context) => {
      await context.launchJob({ name: "CHILD", parameters: {} });
      await sleep(forEverMs, context.signal);
    });
    runs.set("SCAN_ALL", async (context) => {
      await context.launchJob({ name: "PARENT", parameters: {} });
      await sleep(forEverMs, context.signal);
    });
    const { id } = await api.launch("SCAN_ALL", {});
    const onlyOneOf = async (parent: string) =>
      (await api.until(parent, "has launched one", ({ executions }) => executions.length === 1)).executions[0] ?? "";
    const child = await onlyOneOf(id);
    const grandchild = await onlyOneOf(child);
    await api.untilStatus(grandchild, "RUNNING");
    await api.stop(id);
    for (const ended of [id, child, grandchild]) await api.untilStatus(ended, "STOPPED", { withinMs: 20_000 });
  });

  test("takes what it launched with it when it is stopped, also what it launches then", async () => {
    const { api } = controller;
    runs.set("CHILD", ({ signal }) => sleep(forEverMs, signal));
    runs.set("LATE_PARENT", async (context) => {
      await context.launchJob({ name: "CHILD", parameters: {}, key: "early" });
      await sleep(forEverMs, context.signal).catch(() => {});
      await context.launchJob({ name: "CHILD", parameters: {}, key: "late" }).catch(() => {});
    });
    const { id } = await api.launch("LATE_PARENT", {});
    await api.until(id, "has launched one", ({ executions }) => executions.length === 1);
    await api.stop(id);
    await api.untilStatus(id, "STOPPED");
    const children = await api.list(id);
    assert.ok(children.length >= 1);
    for (const child of children) await api.untilStatus(child.id, "STOPPED");
  });

  test("that is cancelled and retried launches anew what was cancelled with it, and nothing that had succeeded", async () => {
    const { api } = controller;
    let isFirstLife = true;
    runs.set("CHILD", async ({ signal }) => (isFirstLife ? sleep(forEverMs, signal) : undefined));
    runs.set("LATER", async () => {});
    const launched: SeenJob["id"][][] = [];
    runs.set("SCAN_ALL", async (context) => {
      const quick = await context.launchJob({ name: "LATER", parameters: {}, key: "quick" });
      const slow = await context.launchJob({ name: "CHILD", parameters: {}, key: "slow" });
      launched.push([quick.id, slow.id]);
      if (isFirstLife) await sleep(forEverMs, context.signal);
    });
    const { id } = await api.launch("SCAN_ALL", {});
    await api.until(id, "has launched both", ({ executions }) => executions.length === 2);
    const [[quick = "", slow = ""] = []] = launched;
    await api.untilStatus(quick, "SUCCESS");
    await api.cancel(id);
    await api.untilStatus(id, "CANCELLED");
    await api.untilStatus(slow, "CANCELLED");
    isFirstLife = false;
    await api.retry(id);
    await api.untilStatus(id, "SUCCESS");
    const [again, anew = ""] = launched[1] ?? [];
    assert.equal(again, quick);
    assert.notEqual(anew, slow);
    await api.untilStatus(anew, "SUCCESS");
  });
});
