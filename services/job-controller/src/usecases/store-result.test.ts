import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Failure, JobPool, Postponement } from "../ports/job-pool.ts";
import { storeResult } from "./store-result.ts";
import type { RunResult } from "./worker-channel.ts";

const dayMs = 24 * 3_600_000;
const result: RunResult = {
  lease: { jobId: "job-1", token: 1 },
  outcome: "failure",
  reason: "SCANNER_UNREACHABLE",
  message: "Clair does not answer",
  retryable: true,
  retryAfterMs: undefined,
  checkIn: "",
  progress: undefined,
  patienceMs: undefined,
};

const worker = { workerId: "w1", incarnation: "0123456789abcdef", session: "s1" };

/** What is asked of the pool for such a result. */
async function askedFor(more: Partial<RunResult>): Promise<Partial<Failure & Postponement>> {
  const asked: Array<Failure | Postponement> = [];
  const note = async (_lease: unknown, what: Failure | Postponement) => {
    asked.push(what);
    return "accepted" as const;
  };
  const pool = { fail: note, postpone: note } as unknown as JobPool;
  await storeResult(pool, worker, { ...result, ...more }, { maxFails: 4, refusalMs: 60_000 });
  return asked[0] ?? assert.fail("nothing was asked");
}

describe("the wait that a result asks for", () => {
  test("is the least, with the back-off of the type, and none when the worker names none", async () => {
    for (const retryAfterMs of [undefined, 0]) {
      const failed = await askedFor({ retryAfterMs });
      assert.deepEqual([failed.retry, failed.backoff], [0, { baseMs: 1_000, capMs: 60_000 }]);
      const postponed = await askedFor({ outcome: "postponed", retryAfterMs });
      assert.deepEqual([postponed.delayMs, postponed.backoff], [0, { baseMs: 1_000, capMs: 60_000 }]);
    }
    assert.equal((await askedFor({ retryAfterMs: 7_000 })).retry, 7_000);
    assert.equal((await askedFor({ retryable: false, retryAfterMs: 7_000 })).retry, "never");
  });

  test("is a day at most", async () => {
    assert.equal((await askedFor({ retryAfterMs: dayMs + 1 })).retry, dayMs);
    assert.equal((await askedFor({ outcome: "postponed", retryAfterMs: dayMs + 1 })).delayMs, dayMs);
  });
});
