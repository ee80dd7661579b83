import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createJobId, isJobId, shardOf } from "./job-id.ts";

describe("a job id", () => {
  test("says its shard", () => {
    assert.equal(shardOf(createJobId(Date.now(), 0)), 0);
    assert.equal(shardOf(createJobId(Date.now(), 31)), 31);
  });

  test("sorts by age", () => {
    const now = Date.now();
    assert.ok(createJobId(now, 5) < createJobId(now + 1, 0));
  });

  test("is not made twice in a millisecond", () => {
    const ids = new Set(Array.from({ length: 10_000 }, () => createJobId(1, 0)));
    assert.equal(ids.size, 10_000);
  });

  test("is told from other text", () => {
    assert.ok(isJobId(createJobId(Date.now(), 3)));
    for (const text of ["", "x", "1jd5m9q2c00il0", "1jd5m9q2c0000/", "../../../../etc", "1jd5m9q2c00000 "]) {
      assert.ok(!isJobId(text), text);
    }
  });
});
