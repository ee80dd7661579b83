import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { followingTime, type Schedule, settle } from "./schedule.ts";

const schedule: Schedule = {
  ...{ cronSpec: "* * * * *", timeZone: "UTC", overlap: "SKIP", catchUpMs: 60_000, jitterMs: 0, startAt: 0, endAt: 0 },
};
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
    const strict = { ...schedule, catchUpMs: 10 };
    assert.deepEqual(settle(strict, 500, 1_050, next), { runAt: 0, nextAt: 1_100, missed: 6 });
  });

  test("counts a long gap in bounded work", () => {
    const { missed, nextAt } = settle(schedule, 0, 100_000_000, next);
    assert.deepEqual([missed, nextAt], [1_000, 100_000_100]);
  });

  test("begins at its start time and ends after its end time", () => {
    assert.equal(followingTime({ ...schedule, startAt: 1_000 }, 0, next), 1_000);
    assert.equal(followingTime({ ...schedule, endAt: 1_000 }, 950, next), 1_000);
    assert.equal(followingTime({ ...schedule, endAt: 1_000 }, 1_000, next), 0);
  });
});
