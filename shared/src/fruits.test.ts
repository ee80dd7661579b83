import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Fruits } from "./fruits.ts";

function fruitsOf(...requests: Array<[count: number, isInVain: boolean]>): Fruits {
  const fruits = new Fruits();
  for (const [count, isInVain] of requests) for (let at = 0; at < count; at++) fruits.note(isInVain);
  return fruits;
}

describe("the fruits of a party", () => {
  test("are few after 32 requests in vain", () => {
    assert.equal(fruitsOf([31, true]).areFew, false);
    assert.equal(fruitsOf([32, true]).areFew, true);
    assert.equal(fruitsOf([1_000, true]).areFew, true);
  });

  test("are enough again after the next one that was not in vain, however many were", () => {
    assert.equal(fruitsOf([1_000, true], [1, false]).areFew, false);
    assert.equal(fruitsOf([1_000, true], [1, false], [4, true]).areFew, true);
  });

  test("are enough when one of five requests is not in vain", () => {
    const fruits = new Fruits();
    for (let at = 0; at < 1_000; at++) {
      fruits.note(at % 5 !== 0);
      assert.equal(fruits.areFew, false);
    }
  });
});
