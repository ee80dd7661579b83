import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { followingTime, type Schedule, settle } from "./schedule.ts";

const schedule: Schedule = {
  ...{ cronSpec: "* * * * *", timeZone: "UTC", overlap: "SKIP", catchUpMs: 60_000, jitterMs: 0, startAt: 0, endAt: 0 },
};
const dayMs = 24 * 3_600_000;
/** Every 100. */
const next = (after: number) => (Math.floor(after / 100) + 1) * 100;

describe("a periodic job", () => {
  test("launches a time that has just come and waits for the next", () => {
    assert.deepEqual(settle(schedule, 500, 501, next), { runAt: 500, nextAt: 600, missed: 0 });
  });

  test("makes up for many missed times by one launch, that of the latest", () => {
    assert.deepEqual(settle(schedule, 500, 1_050, next), { runAt: 1_000, nextAt: 1_100, missed: 5 });
  });

  test("leaves out times that are longer ago than its catch-up time", () => {
    const hourly = (after: number) => (Math.floor(after / 3_600_000) + 1) * 3_600_000;
    const at = 5 * 3_600_000;
    const settleAfter = (catchUpMs: number, lateMs: number) =>
      settle({ ...schedule, catchUpMs }, at, at + lateMs, hourly).runAt;
    assert.deepEqual([settleAfter(60_000, 60_000), settleAfter(60_000, 60_001)], [at, 0]);
  });

  test("without a catch-up time launches what a controller comes to within 10 s, and nothing that was missed", () => {
    const strict = { ...schedule, catchUpMs: 0 };
    const minutely = (after: number) => (Math.floor(after / 60_000) + 1) * 60_000;
    const after = (lateMs: number) => settle(strict, 60_000, 60_000 + lateMs, minutely);
    for (const lateMs of [0, 1, 5_000, 10_000]) {
      assert.deepEqual(after(lateMs), { runAt: 60_000, nextAt: 120_000, missed: 0 }, `${lateMs}`);
    }
    assert.deepEqual(after(10_001), { runAt: 0, nextAt: 120_000, missed: 1 });
    assert.deepEqual(after(180_001), { runAt: 240_000, nextAt: 300_000, missed: 3 });
  });

  test("counts a long gap in bounded work", () => {
    const { missed, nextAt, runAt } = settle(schedule, 0, 100_000_000, next);
    assert.deepEqual([missed, nextAt, runAt], [999, 100_000_100, 100_000_000], "and makes up for the latest");
  });

  test("finds the latest time of a rare line too", () => {
    const monthly = (after: number) => (Math.floor(after / (30 * dayMs)) + 1) * 30 * dayMs;
    const patient = { ...schedule, catchUpMs: 20 * dayMs };
    const settled = settle(patient, 30 * dayMs, 105 * dayMs, monthly);
    assert.deepEqual(settled, { runAt: 90 * dayMs, nextAt: 120 * dayMs, missed: 2 });
  });

  test("neither launches nor counts what comes after its end, also when nobody was there at its end", () => {
    const over = { ...schedule, endAt: 1_000 };
    assert.deepEqual(settle(over, 500, 1_050, next), { runAt: 1_000, nextAt: 0, missed: 5 });
    assert.deepEqual(settle(over, 500, 90_000, next), { runAt: 0, nextAt: 0, missed: 6 });
    assert.deepEqual(settle(over, 1_500, 1_550, next), { runAt: 0, nextAt: 0, missed: 0 });
  });

  test("begins at its start time and ends after its end time", () => {
    assert.equal(followingTime({ ...schedule, startAt: 1_000 }, 0, next), 1_000);
    assert.equal(followingTime({ ...schedule, endAt: 1_000 }, 950, next), 1_000);
    assert.equal(followingTime({ ...schedule, endAt: 1_000 }, 1_000, next), 0);
  });
});
