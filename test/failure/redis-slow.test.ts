import { after, before, describe, test } from "node:test";
import { DelayingProxy } from "../support/delaying-proxy.ts";
import { Crew } from "../support/failure-crew.ts";
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
});
