import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LaunchOptions, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");

describe("the lanes of a queue", () => {
  const under = useAuditedPool();

  const launch = async (options: Partial<LaunchOptions> = {}) =>
    (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
  const claim = async (limit: number, mostOfKey = 0) =>
    (await under.pool.claim(worker, [{ name: "DEMO", most: 0, mostOfKey }], limit)).jobs;
  const kept = async () => {
    const kinds = ["ready", "lanes", "turns"];
    return (await Promise.all(kinds.map((kind) => under.redis.keys(`*${kind}:*`)))).flat();
  };

  /** So many keys with a job that runs and one that waits, each of which may have one. */
  async function fillKeys(count: number) {
    const keys = Array.from({ length: count }, (_, at) => ({ fairnessKey: `k${at}`, priority: 9 }));
    await Promise.all(keys.map(launch));
    const running = [];
    for (let jobs = await claim(200, 1); jobs.length > 0; jobs = await claim(200, 1)) running.push(...jobs);
    await Promise.all(keys.map(launch));
    return running;
  }

  test("are left by a job that waited too long, and with it goes all of an empty queue", async () => {
    await launch({ policy: { ...noPolicy, queueTimeoutMs: 1_000 } });
    under.clock.advance(1_000);
    await under.pool.expire();
    assert.deepEqual(await kept(), []);
  });

  test("leave nothing behind when the last one is stopped after others were claimed", async () => {
    await launch({ fairnessKey: "a" });
    const last = await launch({ fairnessKey: "b" });
    const [first = assert.fail()] = await claim(1);
    await under.pool.end(last === first.id ? assert.fail() : last, "stop");
    assert.deepEqual(await kept(), []);
  });

  test("whose key has room again are seen by a claim that has passed them", async () => {
    const [first = assert.fail()] = await fillKeys(250);
    assert.deepEqual(await claim(1, 1), [], "it passes 200");
    await under.pool.succeed({ jobId: first.id, token: first.token }, {});
    assert.equal((await claim(1, 1)).length, 1);
  });

  test("of higher priority come first again once a claim has found what it looked for behind them", async () => {
    const [first = assert.fail()] = await fillKeys(250);
    const low = [await launch({ priority: 1 }), await launch({ priority: 1 })];
    assert.deepEqual(await claim(1, 1), [], "it passes 200");
    assert.equal((await claim(1, 1))[0]?.id, low[0]);
    await under.pool.succeed({ jobId: first.id, token: first.token }, {});
    const [next = assert.fail()] = await claim(1, 1);
    assert.ok(!low.includes(next.id));
  });
});
