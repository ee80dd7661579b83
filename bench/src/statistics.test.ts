import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { median, percentile, ratios, summarise } from "./statistics.ts";

describe("the statistics", () => {
  test("find the middle of an odd series and between the two middles of an even one", () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.equal(median([7]), 7);
  });

  test("find a percentile between its neighbours, numbers in the order of their size", () => {
    const series = Array.from({ length: 101 }, (_, number) => 100 - number);
    assert.equal(percentile(series, 0.99), 99);
    assert.equal(percentile([10, 20], 0.25), 12.5);
    assert.equal(percentile([100, 20, 3], 1), 100);
  });

  test("leave the series as it was", () => {
    const series = [3, 1, 2];
    assert.deepEqual(summarise(series), { median: 2, min: 1, max: 3 });
    assert.deepEqual(series, [3, 1, 2]);
  });

  test("refuse a series without figures", () => {
    assert.throws(() => median([]), RangeError);
  });

  test("compare round with round, so that a slow round counts on both sides", () => {
    assert.deepEqual(ratios([10, 1], [5, 0.5]), [2, 2]);
  });

  test("compare with the median when the rounds do not match", () => {
    assert.deepEqual(ratios([10, 20], [1, 2, 4]), [5, 10]);
  });
});
