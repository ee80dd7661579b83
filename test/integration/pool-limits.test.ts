import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type LaunchOptions, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import type { ClaimableType } from "@drydock/job-controller/ports/job-pool.ts";
import { RecentCapacities } from "@drydock/job-controller/usecases/recent-capacities.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import {
  aSecond,
  demoJob,
  demoTypes,
  leaseOf,
  type PoolUnderTest,
  startJob,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const worker = workerNamed("w1");

for (const shards of [1, 3]) {
  describe(`limits and turns with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const launch = async (options: Partial<LaunchOptions> = {}) =>
      (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
    const claim = async (limit: number, type: Partial<ClaimableType> = {}, who = worker) =>
      (await under.pool.claim(who, [{ name: "DEMO", maxRunning: 0, maxOfKey: 0, ...type }], limit)).jobs;

    test("no more jobs of a type run than its limit, however many claim at once", async () => {
      for (let i = 0; i < 30; i++) await launch();
      const workers = Array.from({ length: 6 }, (_, at) => workerNamed(`many-${at}`));
      for (const who of workers) await under.pool.hello(who, workerInfo, []);
      const limited = { maxRunning: 4 };
      const claimed = (await Promise.all(workers.map((who) => claim(3, limited, who)))).flat();
      assert.equal(claimed.length, 4);
      assert.deepEqual(await claim(3, limited), []);
      for (const { id, token } of claimed.slice(0, 2)) await under.pool.succeed(leaseOf({ id, token }), {});
      assert.equal((await claim(5, limited)).length, 2);
    });

    test("types are claimed in the order that is asked for, limited or not", async () => {
      for (let i = 0; i < 4; i++) {
        await launch();
        await under.pool.launch({ ...demoJob, name: "OTHER" });
      }
      const limited = { name: "DEMO", maxRunning: 3, maxOfKey: 0 };
      const free = { name: "OTHER", maxRunning: 0, maxOfKey: 0 };
      const namesOf = async (types: ClaimableType[], limit: number) =>
        (await under.pool.claim(worker, types, limit)).jobs.map(({ name }) => name);
      assert.deepEqual(await namesOf([limited, free], 2), ["DEMO", "DEMO"]);
      assert.deepEqual(await namesOf([free, limited], 2), ["OTHER", "OTHER"]);
      assert.deepEqual(await namesOf([limited, free], 9), ["DEMO", "OTHER", "OTHER"]);
    });

    test("a job that is lost, postponed, failed or stopped makes room under the limit again", async () => {
      for (let i = 0; i < 6; i++) await launch();
      const limited = { maxRunning: 4 };
      const [a, b, c] = await claim(4, limited);
      assert.ok(a && b && c);
      await under.pool.postpone(leaseOf(a), { ...aSecond, delayMs: 60_000 }, {});
      await under.pool.release(leaseOf(b));
      await under.pool.end(c.id, "stop");
      await under.pool.confirm(leaseOf(c), "stop");
      assert.equal((await claim(9, limited)).length, 3);
      under.clock.advance(15_000);
      await under.pool.reap();
      await under.pool.hello(worker, workerInfo, []);
      assert.equal((await claim(9, limited)).length, 4);
    });

    test("one key holds no more than its part; jobs without a key and those of others go on", async () => {
      for (let i = 0; i < 10; i++) await launch({ fairnessKey: "bulk", uniqueKey: `bulk ${i}` });
      const capped = { maxOfKey: 3 };
      assert.equal((await claim(8, capped)).length, 3);
      const [other, ...keyless] = [
        await launch({ fairnessKey: "bul" }),
        await launch(),
        await launch(),
        await launch(),
        await launch(),
      ];
      const claimed = (await claim(9, capped)).map(({ id }) => id);
      assert.deepEqual(claimed.sort(), [other, ...keyless].sort());
    });

    test("a lane of lower priority goes on when the key of a higher one has its part", async () => {
      for (let i = 0; i < 3; i++) await launch({ fairnessKey: "greedy", priority: 9, uniqueKey: `g ${i}` });
      const low = await launch({ priority: 1 });
      const claimed = await claim(9, { maxOfKey: 2 });
      assert.deepEqual([claimed.length, claimed.some(({ id }) => id === low)], [3, true]);
    });

    test("a job runs although hundreds of keys before it have their part", async () => {
      const keys = Array.from({ length: 450 }, (_, at) => ({ fairnessKey: `k${at}`, priority: 9 }));
      await Promise.all(keys.map(launch));
      const capped = { maxOfKey: 1 };
      while ((await claim(200, capped)).length > 0);
      await Promise.all(keys.map(launch));
      const low = await launch({ priority: 1 });
      const claimed: string[] = [];
      for (let at = 0; at < 3; at++) claimed.push(...(await claim(1, capped)).map(({ id }) => id));
      assert.deepEqual(claimed, [low]);
    });

    test("a worker without jobs is forgotten with its lease, however many there are", async () => {
      for (let at = 0; at < 30; at++) await under.pool.hello(workerNamed(`idle-${at}`), workerInfo, []);
      under.clock.advance(15_000);
      await under.pool.reap();
      assert.deepEqual(await under.redis.zrange("{drydock:0}:leases", "0", "-1"), []);
    });

    test("the part of a key is counted from the slots of the workers that take the type", async () => {
      await under.pool.hello(workerNamed("w2"), { ...workerInfo, slots: 6 }, []);
      await under.pool.hello(workerNamed("w3"), { ...workerInfo, slots: 50, draining: true }, []);
      await under.pool.hello(workerNamed("w4"), { ...workerInfo, slots: 50, jobNames: ["OTHER"] }, []);
      const limits = new RecentCapacities({ ...under, queues: { paused: async () => new Set() } });
      assert.equal(await limits.maxOfKey("DEMO", 75), 7);
      assert.equal(await limits.maxOfKey("DEMO", 1), 1, "always one");
      await under.pool.leave(workerNamed("w2"));
      under.clock.advance(1_001);
      assert.equal(await limits.maxOfKey("DEMO", 75), 3);
    });
  });
}

describe("turns", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await under.pool.hello(worker, workerInfo, []);
  });

  const launch = async (options: Partial<LaunchOptions> = {}) =>
    (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
  const claimOne = async () => {
    const [job] = (await under.pool.claim(worker, demoTypes, 1)).jobs;
    await under.pool.succeed(leaseOf({ id: job?.id ?? "", token: job?.token ?? 0 }), {});
    return (await under.pool.get(job?.id ?? "")).fairnessKey;
  };

  test("a key that empties its lane and fills it again does not starve another", async () => {
    for (let i = 0; i < 20; i++) await launch({ fairnessKey: "steady" });
    const served: string[] = [];
    for (let i = 0; i < 20; i++) {
      await launch({ fairnessKey: "again" });
      served.push(await claimOne());
    }
    const steady = served.filter((key) => key === "steady").length;
    assert.ok(steady >= 9 && steady <= 11, served.join());
  });

  test("keys that come once each, more than are served, do not starve one that has many", async () => {
    for (let i = 0; i < 20; i++) await launch({ fairnessKey: "many" });
    const served: string[] = [];
    for (let i = 0; i < 20; i++) {
      await launch({ fairnessKey: `once-${String(i).padStart(2, "0")}` });
      served.push(await claimOne());
    }
    const many = served.filter((key) => key === "many").length;
    assert.ok(many >= 3, served.join());
  });

  test("a key that comes goes before those that had their turn, though these have taken thousands", async () => {
    for (let i = 0; i < 300; i++) await launch({ fairnessKey: i % 2 === 0 ? "bulk-a" : "bulk-b" });
    for (let i = 0; i < 250; i++) await claimOne();
    await launch({ fairnessKey: "new" });
    assert.equal(await claimOne(), "new");
  });
});

describe("the time that a launch allows for the wait", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  const policy = { ...noPolicy, queueTimeoutMs: 1_000 };

  test("counts from when a scheduled job is due, and not at all for a periodic one", async () => {
    const { pool, clock } = under;
    const runAt = clock.now() + 60_000;
    const scheduled = await pool.launch({ ...demoJob, options: { ...usualOptions, kind: "SCHEDULED", runAt, policy } });
    const periodic = await pool.launch({ ...demoJob, options: { ...usualOptions, kind: "PERIODIC", runAt, policy } });
    clock.advance(60_999);
    await pool.expire();
    assert.equal((await pool.get(scheduled.id)).status, "SCHEDULED");
    clock.advance(1);
    await pool.expire();
    assert.equal((await pool.get(scheduled.id)).lastError?.reason, "QUEUE_TIMEOUT");
    assert.equal((await pool.get(periodic.id)).status, "SCHEDULED");
  });

  test("a job that is retried does not pass its former end on to what it launches anew", async () => {
    const { pool } = under;
    const parent = await startJob(under, worker);
    const first = await pool.launchSubJob(parent, "1", demoJob);
    await pool.end(parent.jobId, "cancel");
    await pool.confirm(parent, "cancel");
    await pool.retry(parent.jobId);
    await pool.endSubJobs();
    assert.equal((await pool.get(first.id)).status, "PENDING");
  });
});
