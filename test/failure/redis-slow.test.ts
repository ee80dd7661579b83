import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DelayingProxy } from "../support/delaying-proxy.ts";
import { Crew, runFacts } from "../support/failure-crew.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

describe("a Redis whose answers take their time", { timeout: 120_000 }, () => {
  let stack: Stack;
  let proxy: DelayingProxy;
  let controller: Controller;
  let crew: Crew;
  before(async () => {
    stack = await startStack();
    proxy = await DelayingProxy.start(Number(new URL(stack.redis.url).port));
    controller = await stack.startController({ DRYDOCK_REDIS_URL: proxy.url });
    crew = new Crew(stack);
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await stack.stop();
  });

  for (const roundTripMs of [1_000, 2_400]) {
    test(`of ${roundTripMs} ms keeps no dead worker's job from running elsewhere`, async () => {
      const { api, opsUrl } = controller;
      proxy.delayMs = 0;
      await crew.dismiss();
      const dead = `dead-${roundTripMs}`;
      await crew.hire(dead, controller);
      const { id } = await api.launchDemo({ steps: 100, step_ms: 500 });
      await api.untilAtWork(id);
      await crew.hire(`heir-${roundTripMs}`, controller);
      proxy.delayMs = roundTripMs / 2;
      await crew.lose(dead);
      const isWithHeir = (job: { status: string; workerId: string }) =>
        job.status === "RUNNING" && job.workerId !== dead;
      const job = await api.until(id, "runs on the other worker", isWithHeir, { withinMs: 25_000, everyMs: 500 });
      assert.deepEqual(runFacts(job), ["RUNNING", 1, 1]);
      const ready = await fetch(`${opsUrl}/readyz`);
      assert.deepEqual(
        [ready.status, await ready.json()],
        [200, { ready: true, checks: { redis: true, reaper: true } }],
      );
    });
  }
});
