import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createJobId, shardOf } from "@drydock/job-controller/domain/job-id.ts";
import { KeyReserved } from "@drydock/job-controller/redis/shards/reply-errors.ts";
import type { Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob } from "../support/pool.ts";
import { claim, keyOf, keys, refused, shards, uniqueJob } from "../support/unique-keys.ts";

/** All requests are in the first shard. */
const [request, other] = [keyOf(0, "request"), keyOf(0, "other")];
const [near, far, farther] = keys as [string, string, string];

describe("a request id with three shards", () => {
  const under = useAuditedPool({ shards });

  const launch = async (uniqueKey: string, requestKey = request) =>
    (await under.pool.launch(uniqueJob(uniqueKey, requestKey))).id;
  const refusedBy = async (holder: string, uniqueKey: string, requestKey = "") =>
    assert.equal((await refused(launch(uniqueKey, requestKey)))[0], holder);
  const run = (shard: number, ...operation: Parameters<Shard["run"]>) => under.shards.at(shard).run(...operation);
  const reservations = () => Promise.all([1, 2].map((at) => under.redis.hlen(`{drydock:${at}}:unique`)));

  for (const first of [near, far, farther, ""]) {
    test(`launches one job, first with ${first || "no unique key"}, then with another one and without`, async () => {
      const id = await launch(first);
      assert.equal(shardOf(id), 0);
      for (const again of [near, far, farther, "", first]) assert.equal(await launch(again), id, again);
      assert.equal((await under.pool.get(id)).uniqueKey, first);
      if (first !== "") await refusedBy(id, first);
      for (const free of [near, far, farther].filter((key) => key !== first)) await launch(free, "");
      await under.pool.end(id, "stop");
      if (first !== "") assert.notEqual(await launch(first, other), id);
    });
  }

  for (const key of [near, far]) {
    const where = key === near ? "its own" : "another";
    describe(`and a unique key of ${where} shard`, () => {
      test("gives its job, whoever holds the key by then", async () => {
        const id = await launch(key);
        assert.equal(await launch(key), id, "that job holds it");
        const lease = await claim(under.pool);
        await under.pool.end(id, "cancel");
        assert.equal(await launch(key), id, "that job is about to end");
        await under.pool.confirm(lease, "cancel");
        assert.equal((await under.pool.launch(uniqueJob(key, request))).status, "CANCELLED");
        const second = await launch(key, other);
        assert.equal(await launch(key), id, "a job of another request holds it");
        await under.pool.end(second, "stop");
        const third = await launch(key, "");
        assert.equal(await launch(key), id, "a job without a request holds it");
        assert.equal(await launch(key, other), second);
        await refusedBy(third, key);
      });

      test("is refused while another job holds the key, and is launched when that has ended", async () => {
        const holder = await launch(key, other);
        await refusedBy(holder, key, request);
        await under.pool.end(holder, "stop");
        assert.notEqual(await launch(key), holder);
      });

      test("brings back its job by a retry, and keeps others out", async () => {
        const id = await launch(key);
        await under.pool.end(id, "cancel");
        const holder = await launch(key, other);
        await assert.rejects(under.pool.retry(id), { reason: "JOB_ALREADY_EXISTS" });
        await under.pool.end(holder, "stop");
        await under.pool.retry(id);
        await refusedBy(id, key, "");
        assert.equal(await launch(key), id);
      });
    });
  }

  test("leaves no key reserved that its job does not hold", async () => {
    const id = await launch(far);
    await launch(farther);
    assert.deepEqual(await reservations(), [1, 0]);
    await under.pool.end(id, "stop");
    await launch(farther);
    under.clock.advance(10_000);
    await under.pool.freeKeys();
    await launch(far);
    assert.deepEqual(await reservations(), [0, 0]);
  });

  test("costs one operation where the unique key is of the same shard or there is none, and else two", async (context) => {
    const calls = Array.from(under.shards, (shard) => context.mock.method(shard, "run").mock);
    const costOf = async (...job: Parameters<typeof launch>) => {
      for (const call of calls) call.resetCalls();
      await launch(...job);
      return calls.reduce((sum, call) => sum + call.callCount(), 0);
    };
    assert.equal(await costOf("", ""), 1);
    assert.equal(await costOf(far, ""), 1);
    assert.equal(await costOf("", request), 1);
    assert.equal(await costOf(near, keyOf(0, "third")), 1);
    assert.equal(await costOf(farther, other), 2);
  });

  describe("of which a controller died after it had reserved the unique key", () => {
    const reserve = async () => {
      const [id, ticket] = [createJobId(under.clock.now(), 0), `${under.clock.now()}-x.${request}`];
      assert.deepEqual(await run(1, "unique/reserve", far, id, ticket), ["reserved", ticket]);
      return { id, ticket };
    };
    const launchLate = async ({ id, ticket }: { id: string; ticket: string }) => {
      const { name, parametersJson } = demoJob;
      const options = JSON.stringify({ ...usualJson, unique: far, request });
      return run(0, "transitions/launch", id, 0, "reserved", ticket, name, "", parametersJson, options);
    };
    const usualJson = {
      ...{ priority: 5, fairness: "", kind: 1, run_at: 0, policy: false, labels: "", schedule: "", hook: "" },
    };

    test("is launched at once by the next one that is asked, and the late launch finds it", async () => {
      const late = await reserve();
      await refusedBy(late.id, far, other);
      assert.equal(await launch(far), late.id, "by the same reservation");
      const [found] = (await launchLate(late)) as string[];
      assert.equal(found, late.id);
      await refusedBy(late.id, far, other);
      const page = { from: "", limit: 9, includeParameters: false };
      assert.equal((await under.index.list({ kind: "all" }, page)).jobs.length, 1);
    });

    test("is launched when the reservation is too old to be shared", async () => {
      const late = await reserve();
      under.clock.advance(5_000);
      const id = await launch(far);
      assert.notEqual(id, late.id);
      const [found] = (await launchLate(late)) as string[];
      assert.equal(found, id, "the late launch is answered with it");
    });

    test("is refused as another job took the key, and so is the late launch", async () => {
      const late = await reserve();
      under.clock.advance(5_000);
      const holder = await launch(far, other);
      await assert.rejects(launchLate(late), KeyReserved);
      await refusedBy(holder, far, request);
    });

    test("is launched by another reservation when the one that is shared is withdrawn meanwhile", async () => {
      const late = await reserve();
      assert.equal(await run(0, "unique/withdraw", far, late.id, late.ticket, 0), "free");
      const id = await launch(far);
      assert.notEqual(id, late.id);
      await refusedBy(id, far, other);
    });
  });
});
