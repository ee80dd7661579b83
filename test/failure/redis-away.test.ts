import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { Crew, runFacts, runsInLog } from "../support/failure-crew.ts";
import { checkHealth, listHealth } from "../support/health.ts";
import { refusalOf } from "../support/refusal.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { timed, until } from "../support/until.ts";

/** A call is answered when a command has had its 3 s, and a moment. */
const answerMs = 4_000;

describe("Redis that is away", { timeout: 120_000 }, () => {
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

  async function readyStatus(): Promise<number> {
    return (await fetch(`${controller.opsUrl}/readyz`)).status;
  }

  async function runCount({ ready }: RunningProcess): Promise<number> {
    const metrics = await (await fetch(`http://${ready.ops}/metrics`)).text();
    return Number(/^drydock_worker_running_jobs (\d+)/m.exec(metrics)?.[1]);
  }

  /** Every call is refused in time, with when to call again. */
  async function seesRefusals(jobId: string): Promise<void> {
    const { api } = controller;
    for (const call of [() => api.get(jobId), () => api.launchDemo(), () => api.stop(jobId)]) {
      const refusal = refusalOf(call());
      const took = await timed(refusal);
      assert.ok(took < answerMs, `${took} ms`);
      const { code, reason, retryAfterMs = 0 } = await refusal;
      assert.deepEqual([code, reason], ["UNAVAILABLE", "REDIS_UNAVAILABLE"]);
      assert.ok(retryAfterMs > 0, "with RetryInfo");
    }
    assert.equal((await api.status()).redis?.up, false, "only the state of the pool is told all the same");
  }

  async function seesUnready(): Promise<void> {
    const { client } = controller.api;
    await until("/readyz says so", readyStatus, (status) => status === 503, { withinMs: answerMs + 1_000 });
    await until(
      "health says so",
      () => checkHealth(client),
      (word) => word === "NOT_SERVING",
      { withinMs: 1_000 },
    );
    const words = Object.values(await listHealth(client));
    assert.ok(words.length > 1 && words.every((word) => word === "NOT_SERVING"), words.join());
    assert.equal((await fetch(`${controller.opsUrl}/healthz`)).status, 200, "the process itself is well");
  }

  async function seesReady(): Promise<void> {
    await until("/readyz is well", readyStatus, (status) => status === 200, { withinMs: 5_000 });
    const { client } = controller.api;
    await until(
      "health is well",
      () => checkHealth(client),
      (word) => word === "SERVING",
      { withinMs: 1_000 },
    );
  }

  /** Every step of its only run is in the log, once and in order. */
  async function seesWholeLog(jobId: string, steps: number): Promise<void> {
    const log = await controller.api.log(jobId);
    const told = [...log.matchAll(/step (\d+) of \d+ done/g)].map(([, step]) => Number(step));
    assert.deepEqual(
      told,
      Array.from({ length: steps }, (_, index) => index + 1),
    );
    assert.equal(await runsInLog(controller.api, jobId), 1);
  }

  test("killed and started again, it has cost no job a run, and none is forgotten", async () => {
    const { api } = controller;
    const worker = await crew.hire("worker", controller, { DRYDOCK_SLOTS: "2" });
    const [short, long] = [
      await api.launchDemo({ steps: 20, step_ms: 100 }),
      await api.launchDemo({ steps: 80, step_ms: 100 }),
    ];
    const waiting = [await api.launchDemo(), await api.launchDemo(), await api.launchDemo()];
    for (const { id } of [short, long]) await api.untilAtWork(id);
    const crashed = performance.now();
    await stack.redis.crash();

    await seesUnready();
    await seesRefusals(long.id);
    await until(
      "the short job has ended",
      () => runCount(worker),
      (count) => count === 1,
    );
    await wait(crashed + 4_000 - performance.now());
    await stack.redis.resume();

    await seesReady();
    assert.deepEqual(runFacts(await api.untilStatus(short.id, "SUCCESS")), ["SUCCESS", 1, 0]);
    for (const { id } of [...waiting, long]) {
      assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    }
    await seesWholeLog(short.id, 20);
    await seesWholeLog(long.id, 80);
  });

  test("silent for a minute, it makes nothing run twice", async () => {
    const { api } = controller;
    const worker = await crew.hire("steady", controller, { DRYDOCK_SLOTS: "2" });
    await crew.hire("idle", controller);
    const jobs = [];
    // two end while it is away, the others when it is back
    for (const steps of [20, 20, 96, 96, 96]) jobs.push({ steps, ...(await api.launchDemo({ steps, step_ms: 700 })) });
    const [first] = jobs;
    assert.ok(first);
    for (const { id } of jobs) await api.untilAtWork(id);
    const stopped = performance.now();
    stack.redis.process.signal("SIGSTOP");

    await seesUnready();
    await seesRefusals(first.id);
    await wait(stopped + 60_000 - performance.now());
    stack.redis.process.signal("SIGCONT");

    await seesReady();
    for (const { id, steps } of jobs) {
      assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
      await seesWholeLog(id, steps);
    }
    assert.equal(await runCount(worker), 0);
  });
});
