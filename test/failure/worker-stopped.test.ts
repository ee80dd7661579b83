import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Crew, runFacts, runsInLog } from "../support/failure-crew.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { wakesToEndedJobs } from "../support/stopped-worker.ts";

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
    await wakesToEndedJobs(controller, crew, 8_000);
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
