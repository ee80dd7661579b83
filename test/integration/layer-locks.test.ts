import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, leaseOf, startJob, workerInfo, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const layer = { scanner: "clair", layer: "a" };

for (const shards of [1, 3]) {
  describe(`the lock of a layer, over ${shards} shards`, () => {
    const under = useAuditedPool({ shards });
    const lock = (lease: HeldLease, of = layer) => under.layerLocks.lock(lease, of);
    const unlock = (lease: HeldLease, of = layer) => under.layerLocks.unlock(lease, of);
    const keys = () => under.redis.keys("*:layer-lock:*");
    const key = async () => (await keys())[0] ?? assert.fail("there is no lock");
    const start = async (count: number) => {
      for (let jobs = 0; jobs < count; jobs++) await under.pool.launch(demoJob);
      const { jobs } = await under.pool.claim(worker, demoTypes, count);
      assert.equal(jobs.length, count);
      return jobs.map((job) => leaseOf(job)) as [HeldLease, HeldLease];
    };

    test("is one job's at a time, for each layer and scanner", async () => {
      const [first, second] = await start(2);
      assert.equal(await lock(first), true);
      assert.equal(await lock(second), false);
      assert.equal(await lock(second, { ...layer, layer: "b" }), true);
      assert.equal(await lock(second, { ...layer, scanner: "another" }), true);
      await unlock(first);
      assert.equal(await lock(second), true);
      assert.equal(await lock(first), false);
    });

    test("is given to one of many that ask at once", async () => {
      const leases = await start(8);
      const answers = await Promise.all(leases.map((lease) => lock(lease)));
      assert.equal(answers.filter(Boolean).length, 1);
    });

    test("lasts 15 s from when its job asked last, and is another's then", async () => {
      const [first, second] = await start(2);
      await lock(first);
      await under.redis.pexpire(await key(), 5_000);
      assert.equal(await lock(second), false);
      assert.ok((await under.redis.pttl(await key())) <= 5_000, "who is refused makes it no longer");
      assert.equal(await lock(first), true);
      const left = await under.redis.pttl(await key());
      assert.ok(left > 14_000 && left <= 15_000, `${left} ms`);
      await under.redis.pexpire(await key(), 0);
      assert.equal(await lock(second), true);
    });

    test("is not given back by a job that does not have it any more", async () => {
      const [first, second] = await start(2);
      await lock(first);
      await under.redis.del(await key());
      await lock(second);
      await unlock(first);
      assert.equal(await lock(first), false);
      await unlock(second);
      assert.deepEqual(await keys(), []);
    });

    test("is given back by a run that has ended, and is not to be had under a token that is not the job's", async () => {
      const old = await startJob(under, worker);
      await lock(old);
      await under.pool.release(old);
      const { jobs } = await under.pool.claim(worker, demoTypes, 1);
      const lease = leaseOf(jobs[0] ?? assert.fail());
      assert.equal(await lock(lease), false, "an older run's lock is not its own");
      for (const wrong of [old, { ...lease, incarnation: "another" }]) {
        await assert.rejects(lock(wrong), { reason: "LEASE_LOST" });
      }
      await unlock({ ...old, incarnation: "another" });
      assert.equal((await keys()).length, 1);
      await unlock(old);
      assert.equal(await lock(lease), true);
    });

    test("tells nobody who reads Redis whose process it is", async () => {
      const secret = workerNamed("w2", "an-incarnation-to-be-kept-secret");
      await under.pool.hello(secret, workerInfo, []);
      await lock(await startJob(under, secret));
      assert.ok(!`${await key()} ${await under.redis.get(await key())}`.includes(secret.incarnation));
    });
  });
}
