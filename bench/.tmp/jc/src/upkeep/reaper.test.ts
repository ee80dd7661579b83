import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JobPool } from "../ports/job-pool.ts";
import { createReaper } from "./reaper.ts";

function scene() {
  const calls: string[] = [];
  const pool = {
    grantLeases: async () => void calls.push("grant"),
    reap: async () => {
      calls.push("reap");
      return { count: 7, more: false };
    },
  } as unknown as JobPool;
  const redis = { up: true, backSince: 1, check: () => Promise.reject(new Error("unused")) };
  return { calls, redis, reap: createReaper({ pool, redis }) };
}

describe("the reaper", () => {
  test("gives every worker a whole lease before it first takes anything", async () => {
    const { calls, reap } = scene();
    assert.equal((await reap()).count, 7);
    await reap();
    assert.deepEqual(calls, ["grant", "reap", "reap"]);
  });

  test("does so again each time Redis is back, because nobody could renew meanwhile", async () => {
    const { calls, redis, reap } = scene();
    await reap();
    redis.backSince = 2;
    await reap();
    assert.deepEqual(calls, ["grant", "reap", "grant", "reap"]);
  });

  test("takes nothing while Redis is away", async () => {
    const { calls, redis, reap } = scene();
    redis.up = false;
    assert.equal((await reap()).count, 0);
    assert.deepEqual(calls, []);
  });
});
