import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { shardOf } from "@drydock/job-controller/domain/job-id.ts";
import { shardOfKey } from "@drydock/job-controller/redis/shards/shards.ts";
import { auditUniqueKeys } from "../support/audit.ts";
import { finalFailure } from "../support/pool.ts";
import { claim, keys, parentIn, refused, shards, uniqueJob, usePoolOfKeys } from "../support/unique-keys.ts";

// the parent is in the first shard
for (const [where, key = ""] of [
  ["in its parent's shard", keys[0]],
  ["in another shard", keys[1]],
]) {
  describe(`a unique key that falls to a shard of three, a sub-job ${where}`, () => {
    const under = usePoolOfKeys();
    let parent: HeldLease;
    const unique = uniqueJob(key);
    beforeEach(async () => {
      parent = await parentIn(under, 0);
    });

    const launch = async () => (await under.pool.launch(unique)).id;
    const launchSub = async (name = "sub", of = parent) => (await under.pool.launchSubJob(of, name, unique)).id;
    const succeed = async (id: string) => {
      const lease = await claim(under.pool);
      assert.equal(lease.jobId, id);
      await under.pool.succeed(lease, {});
    };
    const reservations = async () => {
      const all = await under.redis.hgetall(`{drydock:${shardOfKey(key, shards)}}:unique`);
      return Object.values(all).filter((holder) => holder.includes(" ")).length;
    };

    test("keeps a launch out while the sub-job lives, and no longer", async () => {
      const sub = await launchSub();
      assert.equal(shardOf(sub), 0);
      assert.deepEqual(await refused(launch()), [sub, undefined]);
      await succeed(sub);
      assert.notEqual(await launch(), sub);
    });

    test("gives a sub-job the launched job that holds it, for good", async () => {
      const holder = await launch();
      assert.equal(await launchSub(), holder);
      await succeed(holder);
      assert.equal(await launchSub(), holder, "also when it has ended");
      assert.deepEqual((await under.pool.get(parent.jobId)).executions, [], "it was launched by somebody else");
      assert.notEqual(await launchSub("other"), holder, "under another key it is launched anew");
    });

    test("gives the sub-job of a parent in a third shard the one that is alive", async () => {
      const sub = await launchSub();
      const other = await parentIn(under, 2);
      assert.equal(await launchSub("sub", other), sub);
      await succeed(sub);
      assert.equal(await launchSub("sub", other), sub);
      assert.equal(shardOf(await launchSub("new", other)), 2);
    });

    test("refuses a launch, a retry and a sub-job while the job that holds it is being stopped", async () => {
      const former = await launch();
      await under.pool.end(former, "cancel");
      const sub = await launchSub();
      const lease = await claim(under.pool);
      await under.pool.end(sub, "stop");
      assert.deepEqual(await refused(launch()), [sub, 1_000]);
      assert.deepEqual(await refused(under.pool.retry(former)), [sub, 1_000]);
      assert.equal(await launchSub(), sub, "its own key is answered");
      assert.deepEqual(await refused(launchSub("other")), [sub, 1_000]);
      await under.pool.confirm(lease, "stop");
      assert.notEqual(await launchSub("other"), sub);
    });

    test("keeps a retry of the sub-job out while another job holds it, and others out after the retry", async () => {
      const sub = await launchSub();
      await under.pool.end(sub, "cancel");
      const holder = await launch();
      assert.deepEqual(await refused(under.pool.retry(sub)), [holder, undefined]);
      await succeed(holder);
      await under.pool.retry(sub);
      assert.deepEqual(await refused(launch()), [sub, undefined]);
      await assert.rejects(under.pool.retry(sub), { reason: "JOB_STATUS_FORBIDS" });
      assert.deepEqual(await refused(launch()), [sub, undefined], "what is not retried stays");
      await under.pool.end(sub, "cancel");
      await under.pool.retry(sub);
      assert.deepEqual(await refused(launch()), [sub, undefined]);
    });

    test("keeps a retry of a launched job out while the sub-job lives", async () => {
      const first = await launch();
      await under.pool.end(first, "cancel");
      const sub = await launchSub();
      assert.deepEqual(await refused(under.pool.retry(first)), [sub, undefined]);
      await succeed(sub);
      assert.equal((await under.pool.retry(first)).status, "PENDING");
    });

    test("is what a retried parent asks for anew, if the job of another shard neither goes on nor succeeded", async () => {
      const holder = await launch();
      await launchSub();
      await launchSub("kept");
      await under.pool.fail(parent, finalFailure, {});
      await under.pool.retry(parent.jobId);
      parent = await claim(under.pool, "PARENT");
      assert.equal(await launchSub(), holder, "it goes on");
      await under.pool.fail(await claim(under.pool), finalFailure, {});
      assert.equal(await launchSub(), holder, "it is of this life now");
      assert.notEqual(await launchSub("kept"), holder, "it was asked for by the former life alone");
    });

    test("is what a retried parent is refused while the job that it asked for before ends", async () => {
      const holder = await launch();
      await launchSub();
      await under.pool.fail(parent, finalFailure, {});
      await under.pool.retry(parent.jobId);
      parent = await claim(under.pool, "PARENT");
      const lease = await claim(under.pool);
      await under.pool.end(holder, "cancel");
      assert.deepEqual(await refused(launchSub()), [holder, 1_000]);
      await under.pool.confirm(lease, "cancel");
      assert.notEqual(await launchSub(), holder);
    });

    test("is what the parent asks for anew when the job that had it is past its keep time", async () => {
      const holder = await launch();
      assert.equal(await launchSub(), holder);
      await succeed(holder);
      await under.pool.sweep("SUCCESS", under.clock.now() + 1, 0);
      const anew = await launchSub();
      assert.notEqual(anew, holder);
      assert.equal(await launchSub(), anew);
    });

    test("is not held by a sub-job that was refused", async () => {
      await assert.rejects(launchSub("sub", { ...parent, token: 99 }), { reason: "LEASE_LOST" });
      assert.equal(await reservations(), 0);
      await launch();
    });

    test("has one job alive, whoever asks for it at once", async () => {
      const ids: string[] = [];
      const others = [await parentIn(under, 1), await parentIn(under, 2)];
      for (let round = 0; round < 200; round++) {
        const asked = [
          launch(),
          launchSub(`a${round}`),
          launchSub(`b${round}`, others[0]),
          launchSub(`c${round}`, others[1]),
        ];
        const ended = ids.splice(0).map((id) => under.pool.retry(id).then(() => id));
        const settled = await Promise.allSettled([...asked, ...ended]);
        assert.deepEqual(await auditUniqueKeys(under.redis), [], `round ${round}`);
        const found = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        const jobs = await Promise.all([...new Set(found)].map((id) => under.pool.get(id)));
        const alive = jobs.filter(({ status }) => status === "PENDING");
        assert.equal(alive.length, 1, `round ${round}: ${settled.map(({ status }) => status)}`);
        const [holder = assert.fail()] = alive;
        await under.pool.end(holder.id, "cancel");
        ids.push(holder.id);
      }
    });
  });
}
