import assert from "node:assert/strict";
import { after, before, beforeEach, describe, type TestContext, test } from "node:test";
import type { WorkerIdentity } from "@drydock/job-controller/domain/worker.ts";
import { Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { type PoolUnderTest, startJob, startPool, workerInfo, workerNamed } from "../support/pool.ts";

const old = workerNamed("w1", "old", "s1");
const heir = workerNamed("w1", "heir", "s2");
const superseded = { reason: "WORKER_SUPERSEDED" };

for (const count of [1, 3]) {
  describe(`two processes of one worker id, in a pool of ${count} shards`, () => {
    let under: PoolUnderTest;
    before(async () => {
      under = await startPool({ shards: count });
    });
    after(() => under.stop());
    beforeEach(() => under.redis.flushall());

    const hello = (worker: WorkerIdentity) => under.pool.hello(worker, workerInfo, []);
    const late = { ...old, session: "s9" };

    test("the older one is refused, however often it says Hello, and the newer one keeps its job", async () => {
      await hello(old);
      const lease = await startJob(under, heir);
      for (let at = 0; at < 3; at++) await assert.rejects(hello({ ...late, session: `late-${at}` }), superseded);
      assert.deepEqual((await under.pool.beat(heir, [lease])).lost, []);
      assert.equal((await under.pool.get(lease.jobId)).crashes, 0);
    });

    test("the older one is refused also when the newer one came after its lease had ended", async () => {
      await hello(old);
      under.clock.advance(15_001);
      await under.pool.reap();
      await hello(heir);
      await assert.rejects(hello(late), superseded);
      await under.pool.leave(heir);
      await assert.rejects(hello(late), superseded, "the newer one has come and gone");
    });

    test("the older one is refused also when it was a day without a Hello before the newer one came", async () => {
      await hello(old);
      await under.redis.del("{drydock:0}:incarnations:w1");
      await hello(heir);
      await assert.rejects(hello(late), superseded);
      await under.redis.del("{drydock:0}:incarnations:w1");
      under.clock.advance(15_001);
      await under.pool.reap();
      await hello(workerNamed("w1", "third", "s3"));
      await assert.rejects(hello(heir), superseded);
    });

    test("a process that lost its lease and has no successor is welcome again", async () => {
      await hello(old);
      under.clock.advance(15_001);
      await under.pool.reap();
      await hello(late);
      await under.pool.beat(late, []);
    });

    test("of two that say Hello at once, one is refused from then on and the other never is", async (context) => {
      delayElsewhere(context, "old", "heir");
      await Promise.allSettled([hello(old), hello(heir)]);
      context.mock.restoreAll();
      await under.pool.beat(heir, []);
      await assert.rejects(under.pool.beat(old, []), superseded);
      await assert.rejects(hello(late), superseded);
      await under.pool.beat(heir, []);
    });

    test("DrainWorker waits for the process that it was meant for", async () => {
      await hello(old);
      assert.equal((await under.pool.beat(old, [])).drain, false);
      await under.pool.drainWorker("w1");
      assert.equal((await under.pool.beat(old, [])).drain, true);
      under.clock.advance(15_001);
      await under.pool.reap();
      await assert.rejects(under.pool.drainWorker("w1"), { reason: "WORKER_NOT_FOUND" });
      assert.equal((await hello(late)).drain, true);
      assert.equal((await hello(heir)).drain, false);
      assert.equal((await under.pool.beat(heir, [])).drain, false);
    });

    test("nobody can be asked to go who is not known", async () => {
      await assert.rejects(under.pool.drainWorker("w1"), { reason: "WORKER_NOT_FOUND" });
    });
  });
}

/** In all shards but the first, the Hello of the one process comes when that of the other is answered. */
function delayElsewhere(context: TestContext, delayed: string, other: string): void {
  const run = Shard.prototype.run;
  const answered = Promise.withResolvers<void>();
  context.mock.method(Shard.prototype, "run", async function (this: Shard, ...args: Parameters<typeof run>) {
    const [name, , incarnation] = args as unknown[];
    const isElsewhere = name === "lease/hello" && !this.keys.jobs.startsWith("{drydock:0}");
    if (isElsewhere && incarnation === delayed) await answered.promise;
    const reply = await run.apply(this, args);
    if (isElsewhere && incarnation === other) answered.resolve();
    return reply;
  });
}
