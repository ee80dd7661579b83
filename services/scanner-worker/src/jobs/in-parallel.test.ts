import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { inParallel } from "./in-parallel.ts";

describe("tasks in parallel", () => {
  test("are so many at once, and give their results in order", async () => {
    let running = 0;
    let most = 0;
    const results = await inParallel([5, 1, 4, 2, 3], 2, async (ms) => {
      running += 1;
      most = Math.max(most, running);
      await delay(ms);
      running -= 1;
      return ms * 10;
    });
    assert.deepEqual([results, most], [[50, 10, 40, 20, 30], 2]);
    assert.deepEqual(await inParallel([], 2, async () => 1), []);
  });

  test("end with the first failure: no further one begins", async () => {
    const begun: number[] = [];
    const task = async (item: number) => {
      begun.push(item);
      await delay(1);
      if (item === 1) throw new Error("no");
    };
    await assert.rejects(inParallel([1, 2, 3, 4], 2, task), /no/);
    assert.deepEqual(begun, [1, 2]);
  });
});
