import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { usualOptions } from "@drydock/job-controller/domain/job.ts";
import { hookPatienceMs } from "@drydock/job-controller/domain/status-hook.ts";
import type { DueHook, HookSettlement } from "@drydock/job-controller/ports/hook-outbox.ts";
import { sweep } from "@drydock/job-controller/upkeep/sweeper.ts";
import { audit } from "../support/audit.ts";
import { demoJob, type PoolUnderTest, startPool } from "../support/pool.ts";

const hourMs = 3_600_000;
const keep = { SUCCESS: hourMs, STOPPED: hourMs, CANCELLED: hourMs, ERROR: 5 * hourMs };
const url = "http://127.0.0.1/hook";

describe("a job that is past its keep time", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(() => under.redis.flushall());

  /** Launches a job and ends it. */
  async function launch(statusHook = url, command: "stop" | "cancel" = "stop"): Promise<string> {
    const { id } = await under.pool.launch({ ...demoJob, options: { ...usualOptions, statusHook } });
    await under.pool.end(id, command);
    return id;
  }
  /** Settles all that is due, one after the other. */
  async function settleAll(settlement: HookSettlement, cause: string): Promise<DueHook[]> {
    const { due } = await under.hooks.due(1_000);
    for (const hook of due) await under.hooks.settle(hook, settlement, cause);
    return due.length === 0 ? [] : [...due, ...(await settleAll(settlement, cause))];
  }
  /** Lets time pass, and then the sweeper come; resolves to how many entries it looked at. */
  async function sweepAfter(ms: number): Promise<number> {
    under.clock.advance(ms);
    const looked = await sweep({ pool: under.pool, keep, clock: under.clock }, new AbortController().signal);
    assert.deepEqual(await audit(under.redis, under.shards.first), []);
    return looked;
  }
  const isKept = (id: string) => under.redis.hexists("{drydock:0}:jobs", id);

  test("stays until its hook was told everything", async () => {
    const id = await launch();
    for (let hour = 0; hour < 3; hour++) await sweepAfter(hourMs + 1);
    const reported = await settleAll({ kind: "delivered" }, "");
    assert.deepEqual(
      reported.map(({ event }) => event.status),
      ["PENDING", "STOPPED"],
    );
    await sweepAfter(hourMs);
    assert.equal(await isKept(id), 0);
    assert.deepEqual(await under.redis.keys("*hook*"), []);
  });

  test("shows its failed hook as long as a job in ERROR is kept, from when the hook was given up at the latest", async () => {
    const id = await launch();
    const gone = await launch();
    await under.hooks.due(1);
    await under.hooks.settle((await under.hooks.due(1)).due[0] ?? assert.fail(), { kind: "gone" }, "HTTP 410");
    await sweepAfter(hookPatienceMs);
    await settleAll({ kind: "failed" }, "HTTP 500");
    await sweepAfter(keep.ERROR);
    assert.deepEqual(new Set((await under.hooks.failed("", 9)).map(({ jobId }) => jobId)), new Set([id, gone]));
    await sweepAfter(hourMs + 1);
    assert.deepEqual([await isKept(id), await isKept(gone)], [0, 0]);
    assert.deepEqual(await under.redis.keys("*hook*"), []);
  });

  test("stays while its failed events are sent again", async () => {
    const id = await launch();
    await settleAll({ kind: "failed" }, "HTTP 500");
    under.clock.advance(hookPatienceMs + keep.ERROR);
    assert.equal(await under.hooks.redeliver(id), 2);
    await sweepAfter(hourMs);
    assert.equal((await settleAll({ kind: "delivered" }, "")).length, 2);
    await sweepAfter(hourMs);
    assert.equal(await isKept(id), 0);
  });

  test("goes although thousands that ended before it stay, which are looked at once an hour", async () => {
    const staying = await Promise.all(Array.from({ length: 1_050 }, () => launch()));
    under.clock.advance(1);
    const going = await Promise.all(Array.from({ length: 150 }, () => launch("")));
    assert.equal(await sweepAfter(hourMs + 1), 1_200);
    assert.deepEqual(await Promise.all(going.map(isKept)), Array(150).fill(0));
    assert.deepEqual(await Promise.all(staying.map(isKept)), Array(1_050).fill(1));
    const late = await launch("");
    assert.equal(await sweepAfter(hourMs - 1_000), 0);
    assert.equal(await isKept(late), 1);
    assert.equal(await sweepAfter(1_001), 1_051);
    assert.equal(await isKept(late), 0);
    await settleAll({ kind: "delivered" }, "");
    assert.equal(await sweepAfter(hourMs), 1_050);
    assert.equal(await under.redis.xlen("{drydock:0}:ended:4"), 0);
  });

  test("is kept like any other when it was retried meanwhile", async () => {
    const id = await launch(url, "cancel");
    await sweepAfter(hourMs + 1);
    await under.pool.retry(id);
    await sweepAfter(hourMs);
    await under.pool.end(id, "cancel");
    await settleAll({ kind: "delivered" }, "");
    await sweepAfter(hourMs);
    assert.equal((await under.pool.get(id)).status, "CANCELLED");
    await sweepAfter(1);
    assert.equal(await isKept(id), 0);
  });
});
