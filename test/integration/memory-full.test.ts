import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type HeldLease, type Job, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { audit } from "../support/audit.ts";
import {
  aSecond,
  demoJob,
  demoTypes,
  type PoolUnderTest,
  passingFailure,
  startJob,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";
import { keyOf, parentIn, uniqueJob } from "../support/unique-keys.ts";

const worker = workerNamed("w1");
const full = { reason: "POOL_FULL" };

async function fillUp({ redis }: PoolUnderTest): Promise<void> {
  const used = Number(/^used_memory:(\d+)/m.exec(await redis.info("memory"))?.[1]);
  // so low that the memory that Redis frees by itself makes no room
  await redis.config("SET", "maxmemory", Math.floor(used / 2));
}

describe("a Redis whose memory is full", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());

  const isClean = async () => assert.deepEqual(await audit(under.redis, under.shards.first), []);

  test("refuses launches whole, and lets what is under way go on and end", async () => {
    const { pool, clock, redis } = under;
    const running: HeldLease[] = [];
    for (let at = 0; at < 6; at++) running.push(await startJob(under, worker, running));
    const [succeeds, fails, postpones, confirms, checksIn, refused] = running;
    assert.ok(succeeds && fails && postpones && confirms && checksIn && refused);
    const waiting: Job[] = [];
    for (let at = 0; at < 4; at++) waiting.push(await pool.launch(demoJob));
    await fillUp(under);

    const uniqueKey = "only one";
    await assert.rejects(pool.launch(demoJob), full);
    await assert.rejects(pool.launch({ ...demoJob, options: { ...usualOptions, uniqueKey, requestKey: "r" } }), full);
    await assert.rejects(pool.launchSubJob(succeeds, "1", demoJob), full);
    await assert.rejects(under.checkpoints.save(succeeds, "page 7"), full);
    await isClean();

    // in one script call with operations that must not be refused
    const together = await Promise.allSettled([pool.launch(demoJob), pool.checkIn(checksIn, { text: "half way" })]);
    assert.deepEqual(
      together.map(({ status }) => status),
      ["rejected", "fulfilled"],
    );
    assert.equal(await pool.succeed(succeeds, { text: "done" }), "accepted");
    assert.equal(await pool.fail(fails, passingFailure, {}), "accepted");
    assert.equal(await pool.postpone(postpones, aSecond, {}), "accepted");
    const denied = { patienceMs: undefined, reason: "ACCESS_DENIED", message: "not you" };
    assert.equal(await pool.refuse(refused, denied, {}), "accepted");
    await pool.end(confirms.jobId, "stop");
    assert.equal(await pool.confirm(confirms, "stop"), "accepted");
    assert.equal((await pool.end(waiting[0]?.id ?? "", "stop")).status, "STOPPED");
    assert.equal((await pool.end(waiting[1]?.id ?? "", "cancel")).status, "CANCELLED");
    const { lost } = await pool.beat(worker, [checksIn]);
    assert.deepEqual(lost, []);
    await pool.hello(workerNamed("w2"), workerInfo, []);
    assert.equal((await pool.claim(workerNamed("w2"), demoTypes, 9)).jobs.length, 3);
    clock.advance(1_000);
    assert.equal((await pool.promote()).count, 2);
    await isClean();

    await redis.config("SET", "maxmemory", 0);
    const launched = await pool.launch({ ...demoJob, options: { ...usualOptions, uniqueKey, requestKey: "r" } });
    assert.equal(launched.status, "PENDING", "nothing of the refused launch is in the way");
    await isClean();
  });
});

const limit = new ReasonedError("POOL_FULL", "enough");
const [request, held] = [keyOf(0, "request"), keyOf(1, "held")];
const uniqueKeys = [keyOf(0, "near"), keyOf(1, "far"), "", keyOf(1, "farther")];

/** A launch of the request, and sub-jobs by their unique keys, one of them held by somebody else. */
async function launchAll(under: PoolUnderTest) {
  const { pool, redis } = under;
  await redis.flushall();
  await pool.hello(worker, workerInfo, []);
  const parent = await parentIn(under, 0);
  const first = await pool.launch(uniqueJob(keyOf(1, "far"), request));
  const holder = await pool.launch(uniqueJob(held));
  const children = new Map<string, Job>();
  for (const key of ["", keyOf(0, "near"), keyOf(1, "child"), held])
    children.set(key, await pool.launchSubJob(parent, `sub ${key}`, uniqueJob(key)));
  assert.equal(children.get(held)?.id, holder.id);
  return { parent, first, children };
}

for (const shards of [1, 3]) {
  describe(`a full pool of ${shards} shards`, () => {
    let under: PoolUnderTest;
    before(async () => {
      under = await startPool({ shards });
    });
    after(() => under.stop());

    for (const [why, fill, refusal, error] of [
      ["by its limit", async () => {}, limit, limit],
      ["because Redis has no memory left", () => fillUp(under), undefined, full],
    ] as const) {
      const launch = (key: string, requestKey = "") => under.pool.launch(uniqueJob(key, requestKey), refusal);
      const launchSub = (parent: HeldLease, name: string, key: string) =>
        under.pool.launchSubJob(parent, name, uniqueJob(key), refusal);

      test(`${why} gives what was launched before, and launches nothing`, async () => {
        const { parent, first, children } = await launchAll(under);
        await fill();
        for (const key of uniqueKeys) assert.equal((await launch(key, request)).id, first.id, key);
        for (const [key, { id }] of children) assert.equal((await launchSub(parent, `sub ${key}`, key)).id, id, key);
        for (const key of [keyOf(0, "free"), keyOf(1, "free"), ""]) {
          await assert.rejects(launch(key), error);
          await assert.rejects(launch(key, "new"), error);
          await assert.rejects(launchSub(parent, "new", key), error);
        }
        await under.redis.config("SET", "maxmemory", 0);
        for (const shard of under.shards) assert.deepEqual(await audit(under.redis, shard), []);
        const { id } = await under.pool.launch(uniqueJob(keyOf(1, "free"), "new"));
        assert.notEqual(id, first.id);
      });
    }
  });
}
