import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import { RedisJobPool } from "@drydock/job-controller/redis/life/job-pool.ts";
import { type PoolUnderTest, startJob, startPool, workerInfo, workerNamed } from "../support/pool.ts";

const terms = defaultLeaseTerms;
const { leaseMs, brokenMs } = terms;
/** How often a controller looks at the leases, at most. */
const lookMs = 700;
const healthy = workerNamed("healthy");
const dead = workerNamed("dead");

describe("leases", () => {
  let under: PoolUnderTest;
  let job: HeldLease;
  before(async () => {
    under = await startPool({ shards: 2, terms });
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await look();
    await under.pool.hello(healthy, workerInfo, []);
    job = await startJob(under, dead);
  });

  /** A controller that has just started. */
  const newController = () => {
    const { redis, shards, clock } = under;
    return new RedisJobPool({ redis, shards, terms, clock });
  };

  /** A look of any controller at all leases; resolves to how much was taken. */
  const look = async (pool = under.pool): Promise<number> => {
    const { count, more } = await pool.reap();
    return more ? look(pool) : count;
  };

  /** Passes the time while a controller looks. */
  const watch = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += lookMs) {
      under.clock.advance(Math.min(lookMs, ms - passed));
      await look();
    }
  };

  const ends = async () => {
    const scores = Array.from(under.shards, ({ keys }) => under.redis.zrange(keys.leases, "0", "-1", "WITHSCORES"));
    return Promise.all(scores);
  };

  test("are left as they are by a controller that starts beside another one", async () => {
    await under.pool.disconnect(dead, []);
    await watch(brokenMs - 1);
    const before = await ends();
    assert.equal(await look(newController()), 0);
    assert.deepEqual(await ends(), before);
    under.clock.advance(1);
    assert.ok((await look(newController())) > 0);
    assert.equal((await under.pool.get(job.jobId)).status, "PENDING");
  });

  test("that had not ended when nobody looked any more are whole when somebody looks again", async () => {
    await watch(leaseMs - 1);
    under.clock.advance(60_000);
    assert.equal(await look(newController()), 0);
    await watch(leaseMs - 1);
    assert.equal((await under.pool.get(job.jobId)).status, "RUNNING");
    under.clock.advance(1);
    assert.ok((await look()) > 0);
    assert.equal((await under.pool.get(job.jobId)).status, "PENDING");
  });

  test("that had ended then are not given again", async () => {
    await under.pool.disconnect(dead, []);
    await watch(brokenMs - 1);
    await under.pool.beat(healthy, []);
    const shards = Array.from(under.shards, ({ keys }) => keys.leases);
    // a lease that had ended, which the last look left to the next one
    for (const key of shards) await under.redis.zadd(key, under.clock.now() - 1, dead.workerId);
    under.clock.advance(60_000);
    assert.ok((await look()) > 0);
    assert.equal((await under.pool.get(job.jobId)).status, "PENDING");
    assert.deepEqual(
      (await ends()).map(([worker]) => worker),
      [healthy.workerId, healthy.workerId],
    );
  });

  test("lose nothing by short gaps between looks, nor by a clock that is behind", async () => {
    await under.pool.disconnect(dead, []);
    const before = await ends();
    for (const ms of [1_900, -1_500, 2_200, -1_500, 900]) {
      under.clock.advance(ms);
      await look();
    }
    assert.deepEqual(await ends(), before);
    await watch(2_999);
    assert.equal((await under.pool.get(job.jobId)).status, "RUNNING");
    under.clock.advance(1);
    assert.ok((await look()) > 0);
  });

  test("are watched again when a clock that was far ahead is right again", async () => {
    under.clock.advance(3_600_000);
    await look();
    under.clock.advance(-3_600_000);
    await under.pool.beat(dead, [job]);
    await look();
    under.clock.advance(60_000);
    assert.equal(await look(), 0);
    assert.equal((await under.pool.get(job.jobId)).status, "RUNNING");
  });

  test("of many workers are all given, in bounded steps", async () => {
    const many = Array.from({ length: 2_500 }, (_, at) => `idle-${at}`);
    for (const { keys } of under.shards) {
      await under.redis.zadd(keys.leases, ...many.flatMap((id) => [under.clock.now() + leaseMs, id]));
    }
    under.clock.advance(60_000);
    assert.equal((await under.pool.reap()).more, true);
    await look();
    const end = String(under.clock.now() + leaseMs);
    for (const shard of await ends()) {
      assert.equal(shard.length, 2 * (many.length + 2));
      assert.ok(shard.every((text, at) => at % 2 === 0 || text === end));
    }
  });
});
