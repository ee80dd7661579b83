import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RunningProcess } from "@drydock/demo/stack/processes.ts";
import { Crew, runFacts, runsInLog } from "../support/failure-crew.ts";
import { checkHealth, listHealth } from "../support/health.ts";
import { surviveLosses } from "../support/loss-rig.ts";
import { loseRedis } from "../support/losses.ts";
import { refusalOf } from "../support/refusal.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";
import { timed, until, untilTime } from "../support/until.ts";

/** Maximum time until a call is answered: the 3 s that a command may take, and a moment. */
const answerMs = 4_000;

/** A Redis that a test takes away, its controller, and workers. */
class Place implements AsyncDisposable {
  readonly stack: Stack;
  readonly controller: Controller;
  readonly crew: Crew;

  constructor(stack: Stack, controller: Controller) {
    this.stack = stack;
    this.controller = controller;
    this.crew = new Crew(stack);
  }

  static async start(): Promise<Place> {
    const stack = await startStack();
    return new Place(stack, await stack.startController());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stack.stop();
  }

  async #readyStatus(): Promise<number> {
    return (await fetch(`${this.controller.opsUrl}/readyz`)).status;
  }

  async runCount({ ready }: RunningProcess): Promise<number> {
    const metrics = await (await fetch(`http://${ready.ops}/metrics`)).text();
    return Number(/^drydock_worker_running_jobs (\d+)/m.exec(metrics)?.[1]);
  }

  /** Every call is refused in time, with when to call again. */
  async seesRefusals(jobId: string): Promise<void> {
    const { api } = this.controller;
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

  async seesUnready(): Promise<void> {
    const { client } = this.controller.api;
    await until(
      "/readyz says so",
      () => this.#readyStatus(),
      (status) => status === 503,
      { withinMs: answerMs + 1_000 },
    );
    await until(
      "health says so",
      () => checkHealth(client),
      (word) => word === "NOT_SERVING",
      { withinMs: 1_000 },
    );
    const words = Object.values(await listHealth(client));
    assert.ok(words.length > 1 && words.every((word) => word === "NOT_SERVING"), words.join());
    assert.equal((await fetch(`${this.controller.opsUrl}/healthz`)).status, 200, "the process itself is well");
  }

  async seesReady(): Promise<void> {
    await until(
      "/readyz is well",
      () => this.#readyStatus(),
      (status) => status === 200,
      { withinMs: 5_000 },
    );
    const { client } = this.controller.api;
    await until(
      "health is well",
      () => checkHealth(client),
      (word) => word === "SERVING",
      { withinMs: 1_000 },
    );
  }

  /** Every step of its only run is in the log, once and in order. */
  async seesWholeLog(jobId: string, steps: number): Promise<void> {
    const log = await this.controller.api.log(jobId);
    const reported = [...log.matchAll(/step (\d+) of \d+ done/g)].map(([, step]) => Number(step));
    assert.deepEqual(
      reported,
      Array.from({ length: steps }, (_, index) => index + 1),
    );
    assert.equal(await runsInLog(this.controller.api, jobId), 1);
  }
}

// at once, as they wait most of the time
describe("Redis that is away", { concurrency: true, timeout: 200_000 }, () => {
  test("killed and started again, it has cost no job a run, and none is forgotten", async () => {
    await using place = await Place.start();
    const { stack, controller, crew } = place;
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

    await place.seesUnready();
    await place.seesRefusals(long.id);
    await until(
      "the short job has ended",
      () => place.runCount(worker),
      (count) => count === 1,
    );
    await untilTime(crashed + 4_000);
    await stack.redis.resume();

    await place.seesReady();
    assert.deepEqual(runFacts(await api.untilStatus(short.id, "SUCCESS")), ["SUCCESS", 1, 0]);
    for (const { id } of [...waiting, long]) {
      assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    }
    await place.seesWholeLog(short.id, 20);
    await place.seesWholeLog(long.id, 80);
  });

  test("silent for half a minute, it makes nothing run twice", async () => {
    await using place = await Place.start();
    const { stack, controller, crew } = place;
    const { api } = controller;
    const worker = await crew.hire("steady", controller, { DRYDOCK_SLOTS: "2" });
    await crew.hire("idle", controller);
    const jobs = [];
    // two end while it is away, the others when it is back
    for (const steps of [20, 20, 56, 56, 56]) jobs.push({ steps, ...(await api.launchDemo({ steps, step_ms: 700 })) });
    const [first] = jobs;
    assert.ok(first);
    for (const { id } of jobs) await api.untilAtWork(id);
    const stopped = performance.now();
    stack.redis.process.signal("SIGSTOP");

    await place.seesUnready();
    await place.seesRefusals(first.id);
    await untilTime(stopped + 32_000);
    stack.redis.process.signal("SIGCONT");

    await place.seesReady();
    for (const { id, steps } of jobs) {
      assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
      await place.seesWholeLog(id, steps);
    }
    assert.equal(await place.runCount(worker), 0);
  });

  test("again and again under a mixed load loses nothing, and nothing healthy runs twice", (context) =>
    surviveLosses(context, loseRedis));
});
