import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Job, type Lease, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { audit } from "../support/audit.ts";
import {
  demoJob,
  demoTypes,
  type PoolUnderTest,
  passingFailure,
  startJob,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const worker = workerNamed("w1");
const full = { reason: "POOL_FULL" };

describe("a Redis whose memory is full", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());

  const isClean = async () => assert.deepEqual(await audit(under.redis, under.shards[0] ?? assert.fail()), []);

  async function fillUp(): Promise<void> {
    const info = await under.redis.info("memory");
    const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
    await under.redis.config("SET", "maxmemory", used);
  }

  test("refuses launches whole, and lets what is under way go on and end", async () => {
    const { pool, clock, redis } = under;
    const running: Lease[] = [];
    for (let at = 0; at < 5; at++) running.push(await startJob(under, worker, running));
    const [succeeds, fails, postpones, confirms, checksIn] = running;
    assert.ok(succeeds && fails && postpones && confirms && checksIn);
    const waiting: Job[] = [];
    for (let at = 0; at < 4; at++) waiting.push(await pool.launch(demoJob));
    await fillUp();

    const uniqueKey = "only one";
    await assert.rejects(pool.launch(demoJob), full);
    await assert.rejects(pool.launch({ ...demoJob, options: { ...usualOptions, uniqueKey, requestKey: "r" } }), full);
    await assert.rejects(pool.launchSubJob(succeeds, "1", demoJob), full);
    await isClean();

    // in one call with what must go on
    const together = await Promise.allSettled([pool.launch(demoJob), pool.checkIn(checksIn, { text: "half way" })]);
    assert.deepEqual(
      together.map(({ status }) => status),
      ["rejected", "fulfilled"],
    );
    assert.equal(await pool.succeed(succeeds, { text: "done" }), "accepted");
    assert.equal(await pool.fail(fails, passingFailure, {}), "accepted");
    assert.equal(await pool.postpone(postpones, 1_000, {}), "accepted");
    await pool.end(confirms.jobId, "stop");
    assert.equal(await pool.confirm(confirms, "stop"), "accepted");
    assert.equal((await pool.end(waiting[0]?.id ?? "", "stop")).status, "STOPPED");
    assert.equal((await pool.end(waiting[1]?.id ?? "", "cancel")).status, "CANCELLED");
    const { lost } = await pool.beat(worker, [checksIn]);
    assert.deepEqual(lost, []);
    await pool.hello(workerNamed("w2"), workerInfo, []);
    assert.equal((await pool.claim(workerNamed("w2"), demoTypes, 9)).jobs.length, 2);
    clock.advance(1_000);
    assert.equal((await pool.promote()).count, 2);
    await isClean();

    await redis.config("SET", "maxmemory", 0);
    const launched = await pool.launch({ ...demoJob, options: { ...usualOptions, uniqueKey, requestKey: "r" } });
    assert.equal(launched.status, "PENDING", "nothing of the refused launch is in the way");
    await isClean();
  });
});
