import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Postponements } from "./postponements.ts";

const hour = 3_600_000;

describe("a postponed job waits", () => {
  test("from 2 s on, longer each time in a row, 15 s at most", () => {
    const least = new Postponements(() => 0);
    const most = new Postponements(() => 1);
    const waits = (all: Postponements) => [1, 2, 3, 4, 5].map(() => all.waitMs("job-1", 0));
    assert.deepEqual(waits(least), [2_000, 4_000, 7_500, 7_500, 7_500]);
    assert.deepEqual(waits(most), [4_000, 8_000, 15_000, 15_000, 15_000]);
  });

  test("for itself, and as at first once a run ended in another way", () => {
    const all = new Postponements(() => 1);
    all.waitMs("job-1", 0);
    assert.equal(all.waitMs("job-2", 0), 4_000);
    all.forget("job-1");
    assert.equal(all.waitMs("job-1", 0), 4_000);
  });

  test("as long as the other side asks for, but never less than its back-off nor more than an hour", () => {
    const all = new Postponements(() => 1);
    assert.equal(all.waitMs("job-1", 1), 4_000);
    assert.equal(all.waitMs("job-2", 30_000), 30_000);
    assert.equal(all.waitMs("job-3", 24 * hour), hour);
  });
});
