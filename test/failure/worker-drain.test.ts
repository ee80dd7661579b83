import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Crew, runFacts, runsInLog, sees } from "../support/failure-crew.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { timed } from "../support/until.ts";

describe("a worker that gets a signal to end", { timeout: 60_000 }, () => {
  let stack: Stack;
  let controller: Controller;
  let crew: Crew;
  before(async () => {
    stack = await startStack();
    controller = await stack.startController();
    crew = new Crew(stack);
  });
  after(() => stack.stop());
  afterEach(() => crew.dismiss());

  test("lets a running job end, takes no other, and ends with exit code 0", async () => {
    const { api } = controller;
    const worker = await crew.hire("leaving", controller);
    const { id } = await api.launchDemo({ steps: 20, step_ms: 100 });
    await api.untilAtWork(id);
    worker.signal("SIGTERM");
    await sees(worker, /"msg":"stopping/);
    const late = await api.launchDemo();

    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    const job = await api.get(id);
    assert.deepEqual(runFacts(job), ["SUCCESS", 1, 0], "its result was stored before the worker went");
    assert.match(await api.log(id), /INFO {2}done\n.*SUCCESS\n$/);
    assert.deepEqual(runFacts(await api.get(late.id)), ["PENDING", 0, 0]);
    assert.deepEqual((await api.status()).pools, [], "it has signed off");

    await crew.hire("next", controller);
    assert.deepEqual(runFacts(await api.untilStatus(late.id, "SUCCESS")), ["SUCCESS", 1, 0]);
  });

  test("gives back what takes longer than it may, and another worker runs it at once", async () => {
    const { api } = controller;
    const worker = await crew.hire("hasty", controller, { DRYDOCK_DRAIN_SECONDS: "1" });
    const { id } = await api.launchDemo({ steps: 40, step_ms: 100 });
    await api.untilAtWork(id);
    await crew.hire("patient", controller);
    worker.signal("SIGTERM");

    const took = timed(
      api.until(id, "runs on the other worker", (job) => job.status === "RUNNING" && job.workerId === "patient", {
        withinMs: 3_000,
      }),
    );
    assert.deepEqual(await worker.exited, { code: 0, signal: null });
    assert.ok((await took) >= 900, "it had its second");
    const job = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([...runFacts(job), job.workerId], ["SUCCESS", 1, 0, "patient"]);
    assert.equal(await runsInLog(api, id), 2);
  });

  test("lets a running job end when the signal comes twice, as through npm", async () => {
    const { api } = controller;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const worker = await crew.hire(`forwarded-${signal}`, controller);
      const { id } = await api.launchDemo({ steps: 20, step_ms: 100 });
      await api.untilAtWork(id);
      worker.signal(signal);
      await delay(2);
      worker.signal(signal);
      assert.deepEqual(await worker.exited, { code: 0, signal: null });
      assert.deepEqual(runFacts(await api.get(id)), ["SUCCESS", 1, 0]);
    }
  });

  test("ends with 1 when a newer process has its id, and says so in place of a signal", async () => {
    const worker = await crew.hire("twice", controller);
    await crew.hire("twice", controller);
    await sees(worker, /"why":"superseded","msg":"stopping/);
    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    assert.doesNotMatch(worker.log(), /SIGTERM/);
  });

  test("ends at once at a second signal, and its job is not lost", async () => {
    const { api } = controller;
    const worker = await crew.hire("pressed", controller);
    const { id } = await api.launchDemo({ steps: 30, step_ms: 100 });
    await api.untilAtWork(id);
    worker.signal("SIGTERM");
    await sees(worker, /"msg":"stopping/);
    await delay(1_100);
    worker.signal("SIGTERM");
    assert.deepEqual(await worker.exited, { code: 1, signal: null });
    await crew.hire("pressed", controller);
    const job = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([job.status, job.attempt], ["SUCCESS", 1]);
  });
});
