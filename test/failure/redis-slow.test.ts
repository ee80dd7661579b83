import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { JobServiceService, LaunchJobsRequest } from "@drydock/shared/gen/drydock/job/v1/job_service.ts";
import { unaryCall } from "@drydock/shared/grpc/client.ts";
import { status as StatusCode } from "@grpc/grpc-js";
import { DelayingProxy } from "../support/delaying-proxy.ts";
import { Crew } from "../support/failure-crew.ts";
import { memoryOf } from "../support/memory-of.ts";
import { plainType, ScriptedWorker } from "../support/scripted-worker.ts";
import { runsElsewhere } from "../support/slow-redis.ts";
import { type Controller, type Stack, startStack } from "../support/stack.ts";

describe("a Redis whose answers take their time", { timeout: 200_000 }, () => {
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
    // a few calls of many: no more than 200 calls are in flight, and as many single launches have room
    const jobs = Array.from({ length: 12 }, () => ({ name: "SLOW", parameters: { text: "x".repeat(250_000) } }));
    const request = LaunchJobsRequest.fromPartial({ jobs });
    const launches = Array.from({ length: 30 }, () =>
      unaryCall(api.client, JobServiceService.launchJobs, request, { deadlineMs: 60_000 }),
    );
    worker.sendResult(lease);
    await worker.receive("resultAck", { withinMs: 30_000 });
    proxy.delayMs = 0;
    const results = (await Promise.all(launches)).flatMap((answer) => answer.results);
    const growth = (await memoryOf(process.pid)) - before;
    await api.untilStatus(id, "SUCCESS");
    const refusals = results.flatMap(({ result }) => (result?.$case === "error" ? [result.value] : []));
    assert.ok(refusals.length > 0 && refusals.length < results.length, `${refusals.length} are refused`);
    const isBusy = ({ code, details }: (typeof refusals)[number]) =>
      code === StatusCode.RESOURCE_EXHAUSTED && details.some(({ typeUrl }) => typeUrl.endsWith("RetryInfo"));
    assert.ok(refusals.every(isBusy), JSON.stringify(refusals[0]));
    assert.ok(growth < 400, `memory grew by ${growth} MiB`);
    await worker.breakOff();
  });
});
