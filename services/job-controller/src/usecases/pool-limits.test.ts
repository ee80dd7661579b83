import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type PoolFill, PoolLimits } from "./pool-limits.ts";

const mebibyte = 1024 * 1024;

/** Limits over a pool whose fill the test changes. */
function scene(fill: Partial<PoolFill> = {}) {
  const pool = { waiting: 0, usedMemoryBytes: 0, maxMemoryBytes: 0, ...fill };
  const seen = { measurements: 0 };
  const limits = new PoolLimits({ maxWaiting: 100, inFlightBytes: mebibyte, memoryPart: 0.95 }, async () => {
    seen.measurements += 1;
    return { ...pool };
  });
  return { pool, seen, limits };
}

const launched = async (refusal?: Error) => {
  if (refusal !== undefined) throw refusal;
};
const full = { reason: "POOL_FULL" };

describe("the limits of the pool", () => {
  test("count what was launched since the last measurement, and measure before they refuse", async () => {
    const { pool, seen, limits } = scene();
    for (let i = 0; i < 100; i++) await limits.admit(10, launched);
    assert.equal(seen.measurements, 0, "a launch costs no look at Redis");
    pool.waiting = 40;
    await limits.admit(10, launched);
    assert.equal(seen.measurements, 1);
    for (let i = 0; i < 59; i++) await limits.admit(10, launched);
    await assert.rejects(limits.admit(10, launched), full);
  });

  test("refuse many that come at once with one look", async () => {
    const { seen, limits } = scene({ waiting: 100 });
    await limits.measure();
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => limits.admit(10, launched)));
    assert.ok(all.every(({ status }) => status === "rejected"));
    assert.equal(seen.measurements, 1, "it was measured just now");
  });

  test("let no more in than there is room for, when many come at once", async () => {
    const { limits } = scene({ waiting: 90 });
    await limits.measure();
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => limits.admit(10, launched)));
    assert.equal(all.filter(({ status }) => status === "fulfilled").length, 10);
  });

  test("count what is being stored while they measure, until a measurement that began later", async () => {
    const { pool, limits } = scene({ waiting: 60 });
    await limits.measure();
    let stored = () => {};
    const storing = new Promise<void>((resolve) => {
      stored = resolve;
    });
    const launches = Array.from({ length: 40 }, () => limits.admit(10, () => storing));
    await new Promise((resolve) => setImmediate(resolve));
    await limits.measure();
    await assert.rejects(limits.admit(10, launched), full, "none of the 40 was in what was measured");
    stored();
    await Promise.all(launches);
    await assert.rejects(limits.admit(10, launched), full);
    pool.waiting = 99;
    await limits.measure();
    await limits.admit(10, launched);
    await assert.rejects(limits.admit(10, launched), full);
  });

  test("do not count what was not stored", async () => {
    const { limits } = scene({ waiting: 99 });
    await limits.measure();
    await assert.rejects(
      limits.admit(10, () => Promise.reject(new Error("refused"))),
      /refused/,
    );
    await limits.admit(10, launched);
    await assert.rejects(limits.admit(10, launched), full);
  });

  test("leave a launch that was stored before to be found, and do not count that", async () => {
    const { pool, limits } = scene({ waiting: 100 });
    await limits.measure();
    assert.equal(await limits.admit(10, async (refusal) => refusal?.reason), "POOL_FULL");
    pool.waiting = 99;
    await limits.measure();
    assert.equal(await limits.admit(10, async (refusal) => refusal?.reason), undefined);
    await assert.rejects(limits.admit(10, launched), full);
  });

  test("keep a part of Redis' memory free, by what the launches take", async () => {
    const { limits } = scene({ usedMemoryBytes: 94 * mebibyte, maxMemoryBytes: 100 * mebibyte });
    await limits.measure();
    for (let i = 0; i < 11; i++) await limits.admit(100_000, launched);
    await assert.rejects(limits.admit(100_000, launched), full);
  });

  test("refuse a launch while others on their way hold the memory that there is for them, before it is stored", async () => {
    const { limits, seen } = scene();
    const { promise: isStored, resolve: store } = Promise.withResolvers<void>();
    const launches = Array.from({ length: 4 }, () => limits.admit(200 * 1024, () => isStored));
    const busy = { reason: "SERVER_BUSY", facts: { metadata: { most: String(mebibyte) }, retryAfterMs: 1_000 } };
    const notStored = () => assert.fail("stored beside them");
    await assert.rejects(limits.admit(256 * 1024, notStored), busy);
    await limits.admit(1_000, launched);
    store();
    await Promise.all(launches);
    await limits.admit(256 * 1024, launched);
    assert.equal(seen.measurements, 0);
  });

  test("do not mind the memory of a Redis without a limit", async () => {
    const { limits } = scene({ usedMemoryBytes: 1e12 });
    await limits.measure();
    await limits.admit(1_000, launched);
  });
});
