import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultLeaseTerms as terms } from "../domain/lease-terms.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { reap } from "./reaper.ts";

const pool = { reap: async () => ({ count: 7, more: false }) } as unknown as JobPool;
const redisBack = (backSince: number, up = true) => ({
  up,
  backSince,
  check: () => Promise.reject(new Error("unused")),
});
const clock = { now: () => 100_000 };

describe("the reaper", () => {
  test("takes nothing for one lease after Redis is back, because nobody could renew meanwhile", async () => {
    const report = await reap({ pool, terms, clock, redis: redisBack(100_000 - terms.leaseMs + 1) });
    assert.equal(report.count, 0);
  });

  test("takes what is due after that", async () => {
    assert.equal((await reap({ pool, terms, clock, redis: redisBack(100_000 - terms.leaseMs) })).count, 7);
  });

  test("takes nothing while Redis is away", async () => {
    assert.equal((await reap({ pool, terms, clock, redis: redisBack(0, false) })).count, 0);
  });
});
