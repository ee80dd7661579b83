import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { RpcError } from "@drydock/shared/grpc/client.ts";
import { DelayingProxy } from "../support/delaying-proxy.ts";
import { Crew } from "../support/failure-crew.ts";
import { memoryOf } from "../support/memory-of.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { runsElsewhere } from "../support/slow-redis.ts";
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
      await runsElsewhere({ proxy, controller, crew }, roundTripMs);
    });
  }

  test("is not sent more launches than there is memory for, and workers' results still come through", async () => {
    const { api, address, process } = controller;
    proxy.delayMs = 0;
    await crew.dismiss();
    const worker = await ScriptedWorker.join(address, { jobTypes: [plainType("SLOW")] });
    const { id } = await api.launch("SLOW", {});
    const { lease } = await worker.takeJob();
    const before = await memoryOf(process.pid);
    proxy.delayMs = 1_000;
    const text = "x".repeat(250_000);
    const launches = Promise.allSettled(Array.from({ length: 500 }, () => api.launch("SLOW", { text })));
    worker.sendResult(lease);
    await worker.receive("resultAck", { withinMs: 30_000 });
    const refusals = (await launches).flatMap((launch) =>
      launch.status === "rejected" ? [launch.reason as RpcError] : [],
    );
    const growth = (await memoryOf(process.pid)) - before;
    proxy.delayMs = 0;
    await api.untilStatus(id, "SUCCESS");
    const busy = refusals.filter(({ reason }) => reason === "SERVER_BUSY");
    assert.ok(busy.length > 0, "all are taken");
    assert.ok(busy.every(({ code, retryAfterMs }) => code === "RESOURCE_EXHAUSTED" && retryAfterMs === 1_000));
    assert.ok(growth < 400, `memory grew by ${growth} MiB`);
    await worker.breakOff();
  });
});
