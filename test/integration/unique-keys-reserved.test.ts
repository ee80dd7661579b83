import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import type { HeldLease } from "@drydock/job-controller/domain/job.ts";
import { createJobId } from "@drydock/job-controller/domain/job-id.ts";
import { KeyReserved } from "@drydock/job-controller/redis/shards/reply-errors.ts";
import type { PoolUnderTest } from "../support/pool.ts";
import { keys, parentIn, refused, uniqueJob, usePoolOfKeys } from "../support/unique-keys.ts";

describe("a unique key that is reserved in another shard than its job's", () => {
  const under = usePoolOfKeys();
  let parent: HeldLease;
  const [, key = ""] = keys;
  const unique = uniqueJob(key);
  beforeEach(async () => {
    parent = await parentIn(under, 0);
  });

  const run = (shard: number, ...args: Parameters<PoolUnderTest["shards"]["first"]["run"]>) =>
    under.shards.at(shard).run(...args);
  const reserved = () => under.redis.hget("{drydock:1}:unique", key);
  /** What a controller did that died before its launch. */
  const reserve = async () => {
    const [id, ticket] = [createJobId(under.clock.now(), 0), `${under.clock.now()}-x`];
    assert.deepEqual(await run(1, "unique/reserve", key, id, ticket), ["reserved", ticket]);
    return { id, ticket };
  };
  const launchLate = ({ id, ticket }: { id: string; ticket: string }) => {
    const child = [id, "DEMO", "", "{}", JSON.stringify({ ...usualJson, unique: key })] as const;
    return run(
      0,
      "transitions/launch-sub-job",
      parent.jobId,
      parent.token,
      parent.incarnation,
      "late",
      "",
      0,
      0,
      0,
      "reserved",
      ticket,
      ...child,
    );
  };
  const usualJson = {
    priority: 5,
    fairness: "",
    kind: 1,
    run_at: 0,
    request: "",
    policy: false,
    labels: "",
    schedule: "",
    hook: "",
  };

  test("blocks others for 5 s when the controller died before the launch", async () => {
    const { id } = await reserve();
    under.clock.advance(4_999);
    assert.deepEqual(await refused(under.pool.launch(unique)), [id, 1_000]);
    assert.deepEqual(await refused(under.pool.launchSubJob(parent, "sub", unique)), [id, 1_000]);
    under.clock.advance(1);
    const { id: launched } = await under.pool.launch(unique);
    await under.pool.end(launched, "stop");
    await reserve();
    under.clock.advance(5_000);
    assert.equal((await under.pool.launchSubJob(parent, "sub", unique)).status, "PENDING");
  });

  test("is not taken by a launch that was held up until another job took it", async () => {
    const late = await reserve();
    under.clock.advance(5_000);
    await under.pool.launch(unique);
    await assert.rejects(Promise.resolve(launchLate(late)), KeyReserved);
  });

  test("is not taken by a retry that was held up until another job took it", async () => {
    const { id } = await under.pool.launchSubJob(parent, "sub", unique);
    await under.pool.end(id, "cancel");
    const [, ticket = ""] = (await reserved())?.split(" ") ?? [];
    await under.pool.launch(unique);
    await assert.rejects(Promise.resolve(run(0, "transitions/retry", id, "reserved", ticket)), KeyReserved);
  });

  test("is free although a controller died between withdrawing and freeing", async () => {
    const { id } = await under.pool.launchSubJob(parent, "sub", unique);
    await under.pool.end(id, "cancel");
    const [, ticket = ""] = (await reserved())?.split(" ") ?? [];
    assert.equal(await run(0, "unique/withdraw", key, id, ticket, 0), "free");
    assert.equal((await under.pool.retry(id)).status, "PENDING");
    assert.deepEqual(await refused(under.pool.launch(unique)), [id, undefined]);
  });

  test("is kept for the job of a newer reservation when an older one is freed", async () => {
    const older = await reserve();
    under.clock.advance(5_000);
    const { id } = await under.pool.launchSubJob(parent, "sub", unique);
    assert.equal(await run(1, "unique/free", key, older.id, older.ticket), 0);
    assert.deepEqual(await refused(under.pool.launch(unique)), [id, undefined]);
  });

  test("is freed by upkeep when its job is over or never came, and kept while it is alive", async () => {
    const { id } = await under.pool.launchSubJob(parent, "sub", unique);
    under.clock.advance(10_000);
    assert.deepEqual(await under.pool.freeKeys(), { count: 1, more: false });
    assert.ok(await reserved());
    await under.pool.end(id, "stop");
    under.clock.advance(9_999);
    assert.equal((await under.pool.freeKeys()).count, 0, "it is looked at when it is twice as old");
    under.clock.advance(1);
    assert.equal((await under.pool.freeKeys()).count, 1);
    assert.equal(await reserved(), null);
    await reserve();
    under.clock.advance(10_000);
    await under.pool.freeKeys();
    assert.equal(await reserved(), null);
    assert.equal(await under.redis.exists("{drydock:1}:reserved"), 0);
  });
});
