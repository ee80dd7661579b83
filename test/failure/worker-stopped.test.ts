import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { Crew, runFacts, runsInLog, sees } from "../support/failure-crew.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

/** How many jobs the worker runs, as it says itself. */
async function runningOn(worker: RunningProcess): Promise<number> {
  const metrics = await (await fetch(`http://${worker.ready.ops}/metrics`)).text();
  return Number(/^drydock_worker_running_jobs (\d+)$/m.exec(metrics)?.[1]);
}

describe("a worker that is stopped for 8 s, less than its lease, and goes on", { timeout: 60_000 }, () => {
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

  test("runs none of the jobs that it was sent meanwhile and that ended elsewhere", async () => {
    const { api } = controller;
    const sleeper = await crew.hire("sleeper", controller, { DRYDOCK_SLOTS: "10" });
    await crew.hire("awake", controller, { DRYDOCK_SLOTS: "10" });
    sleeper.signal("SIGSTOP");
    const stopped = performance.now();
    const launches = Array.from({ length: 20 }, () => api.launchDemo({ steps: 15, step_ms: 100 }));
    const ids = (await Promise.all(launches)).map(({ id }) => id);
    const sent = await Promise.all(ids.map((id) => api.untilStatus(id, "RUNNING")));
    assert.ok(sent.some(({ workerId }) => workerId === "sleeper"));
    for (const id of ids) await api.untilStatus(id, "SUCCESS");
    await wait(Math.max(0, 8_000 - (performance.now() - stopped)));
    sleeper.signal("SIGCONT");
    await sees(sleeper, /the process stood still/);
    for (let at = 0; at < 10; at++) {
      assert.equal(await runningOn(sleeper), 0, `look ${at}`);
      await wait(100);
    }
    for (const id of ids) {
      const job = await api.get(id);
      assert.deepEqual([...runFacts(job), job.workerId], ["SUCCESS", 1, 0, "awake"]);
      assert.equal(await runsInLog(api, id), 1);
    }
    const next = await Promise.all(Array.from({ length: 20 }, () => api.launchDemo({ steps: 1, step_ms: 500 })));
    const ran = await Promise.all(next.map(({ id }) => api.untilStatus(id, "SUCCESS")));
    assert.ok(
      ran.some(({ workerId }) => workerId === "sleeper"),
      "it takes jobs again",
    );
  });

  test("goes on with the jobs that are still its own", async () => {
    const { api } = controller;
    const sleeper = await crew.hire("sleeper", controller);
    const { id } = await api.launchDemo({ steps: 30, step_ms: 100 });
    await api.untilAtWork(id);
    sleeper.signal("SIGSTOP");
    await wait(8_000);
    sleeper.signal("SIGCONT");
    const job = await api.untilStatus(id, "SUCCESS");
    assert.deepEqual([...runFacts(job), await runsInLog(api, id)], ["SUCCESS", 1, 0, 1]);
  });
});
