import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type JobPolicy, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import {
  aSecond,
  demoJob,
  demoTypes,
  leaseOf,
  type PoolUnderTest,
  passingFailure,
  startPool,
  workerInfo,
  workerNamed,
} from "../support/pool.ts";

const worker = workerNamed("w1");

describe("the wait for a job's next run", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());
  beforeEach(() => under.redis.flushall());

  /** How long a job of that policy waits after its first run, when the jitter is all there can be. */
  const waitAfter = async (policy: JobPolicy | undefined, end: "fail" | "postpone", leastMs: number) => {
    const { pool, clock, jitter } = under;
    jitter.next = 1;
    const { id } = await pool.launch({ ...demoJob, options: { ...usualOptions, policy } });
    await pool.hello(worker, workerInfo, []);
    const [claimed] = (await pool.claim(worker, demoTypes, 1)).jobs;
    const lease = leaseOf(claimed ?? assert.fail("nothing was claimed"));
    if (end === "fail") await pool.fail(lease, { ...passingFailure, retry: leastMs }, {});
    else await pool.postpone(lease, { ...aSecond, delayMs: leastMs }, {});
    return (await pool.get(id)).runAt - clock.now();
  };

  const cases: Array<[what: string, policy: JobPolicy | undefined, byBackoffMs: number]> = [
    ["its type's", undefined, 1_000],
    ["its launch's", { ...noPolicy, backoffBaseMs: 8_000 }, 8_000],
    ["its type's up to its launch's cap", { ...noPolicy, backoffCapMs: 300 }, 300],
  ];
  for (const [what, policy, byBackoffMs] of cases) {
    for (const end of ["fail", "postpone"] as const) {
      test(`after a ${end} is never shorter than by the back-off, ${what}, and as long as was asked for`, async () => {
        assert.equal(await waitAfter(policy, end, 0), byBackoffMs);
        assert.equal(await waitAfter(policy, end, byBackoffMs - 1), byBackoffMs);
        assert.equal(await waitAfter(policy, end, byBackoffMs + 1), byBackoffMs + 1);
      });
    }
  }
});
