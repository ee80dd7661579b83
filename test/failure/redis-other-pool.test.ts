import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import type { Readiness } from "@drydock/shared/ops-server.ts";
import type { Redis } from "ioredis";
import { Crew, runFacts } from "../support/failure-crew.ts";
import { checkHealth } from "../support/health.ts";
import { refusalOf } from "../support/refusal.ts";
import { type Controller, startStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

const formatKey = "{drydock:0}:format";

/** How many script calls Redis has had from outside. */
async function scriptCalls(redis: Redis): Promise<number> {
  const stats = await redis.info("commandstats");
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(stats)?.[1]);
}

/** What /readyz says once that will do. */
async function untilReadiness({ opsUrl }: Controller, willDo: (answer: Readiness) => boolean): Promise<Readiness> {
  return until("/readyz says so", async () => (await (await fetch(`${opsUrl}/readyz`)).json()) as Readiness, willDo);
}

describe("Redis that comes back with another pool", { timeout: 60_000 }, () => {
  test("gets no script call until its own pool is back, and no job has run twice", async () => {
    await using stack = await startStack();
    const controller = await stack.startController();
    const { api, process } = controller;
    const crew = new Crew(stack);
    await crew.hire("worker", controller);
    const { id } = await api.launchDemo({ steps: 40, step_ms: 100 });
    await api.untilAtWork(id);
    const redis = createConnection(stack.redis.url);
    await redis.connect();

    await redis.hset(formatKey, "shards", 3);
    await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    const { checks } = await untilReadiness(controller, ({ checks: { redis } }) =>
      /DRYDOCK_SHARDS/.test(String(redis)),
    );
    assert.match(String(checks.redis), /DRYDOCK_SHARDS=3, .*Set it to 3;/);
    const calls = await scriptCalls(redis);
    for (const call of [() => api.get(id), () => api.launchDemo(), () => api.stop(id)]) {
      const { code, reason, message, metadata, retryAfterMs = 0 } = await refusalOf(call());
      assert.deepEqual([code, reason, message], ["UNAVAILABLE", "POOL_FORMAT_MISMATCH", checks.redis]);
      assert.deepEqual([metadata.shards, metadata.pool_shards], ["1", "3"]);
      assert.ok(retryAfterMs > 0, "with RetryInfo");
    }
    await until(
      "health says so",
      () => checkHealth(api.client),
      (word) => word === "NOT_SERVING",
    );
    assert.equal((await api.status()).redis?.up, false);
    // the job ends meanwhile, and beats, chores and its result are kept back
    await wait(6_000);
    assert.equal(await scriptCalls(redis), calls, "no script has run");
    const reported = process
      .log()
      .split("\n")
      .filter((line) => line.includes("calls are refused: the pool"));
    assert.equal(reported.length, 1);

    await redis.hset(formatKey, "shards", 1);
    await untilReadiness(controller, ({ ready }) => ready);
    assert.deepEqual(runFacts(await api.untilStatus(id, "SUCCESS")), ["SUCCESS", 1, 0]);
    redis.disconnect();
  });
});
