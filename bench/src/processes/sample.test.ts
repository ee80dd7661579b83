import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Sample } from "./sample.ts";

function sampleOf(count: number, every = 1): Sample<number> {
  const sample = new Sample<number>(every);
  for (let at = 0; at < count; at++) sample.add(at);
  return sample;
}

describe("a sample", () => {
  test("keeps one of so many", () => {
    assert.deepEqual(sampleOf(10, 3).take(10), [0, 3, 6, 9]);
  });

  test("gives some of all ages, and none of them twice", () => {
    const sample = sampleOf(8);
    assert.deepEqual(sample.take(3), [0, 2, 5]);
    assert.deepEqual(sample.take(8), [1, 3, 4, 6, 7]);
  });

  test("gives what it has when that is less", () => {
    assert.deepEqual(sampleOf(2).take(5), [0, 1]);
    assert.deepEqual(sampleOf(0).take(5), []);
    const cleared = sampleOf(2);
    cleared.clear();
    assert.deepEqual(cleared.take(1), []);
  });
});
