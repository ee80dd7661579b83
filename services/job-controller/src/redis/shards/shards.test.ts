import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "@drydock/shared/clock.ts";
import { createJobId } from "../../domain/job-id.ts";
import { type ScriptedRedis, Shard } from "./shard.ts";
import { Shards, shardOfKey } from "./shards.ts";

const shards = new Shards(3, (number) => new Shard(number, {} as ScriptedRedis, systemClock));

describe("the shards of a pool", () => {
  test("are found by a job's id", () => {
    assert.deepEqual(
      [0, 1, 2].map((number) => shards.ofJob(createJobId(0, number)).number),
      [0, 1, 2],
    );
  });

  test("have no job whose id names another shard or none", () => {
    for (const jobId of [createJobId(0, 3), "000000000u0000"])
      assert.throws(() => shards.ofJob(jobId), { reason: "JOB_NOT_FOUND" });
  });

  test("each have keys, and a key always falls to the same one", () => {
    const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`);
    const numbers = keys.map((key) => shards.ofKey(key).number);
    assert.deepEqual([...new Set(numbers)].sort(), [0, 1, 2]);
    assert.deepEqual(
      numbers,
      keys.map((key) => shardOfKey(key, 3)),
    );
  });

  test("are asked at once, and their results are in their order", async () => {
    const started: number[] = [];
    const results = await shards.all(async ({ number }) => {
      started.push(number);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(started.length, 3);
      return number;
    });
    assert.deepEqual(results, [0, 1, 2]);
    assert.deepEqual([...shards], [shards.first, shards.at(1), shards.at(2)]);
    assert.throws(() => shards.at(3), RangeError);
  });
});
