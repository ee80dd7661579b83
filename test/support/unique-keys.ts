import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { type HeldLease, type NewJob, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { shardOf } from "@drydock/job-controller/domain/job-id.ts";
import { shardOfKey } from "@drydock/job-controller/redis/shards/shards.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { auditUniqueKeys } from "./audit.ts";
import { demoJob, leaseOf, type PoolUnderTest, startPool, workerInfo, workerNamed } from "./pool.ts";

/** How many shards the pool of such a test has. */
export const shards = 3;
/** Who claims. */
export const worker = workerNamed("w1");
/** For each shard a key that falls to it. */
export const keys = Array.from({ length: shards }, (_, shard) => keyOf(shard, "key"));

/** A key of that name that falls to the shard. */
export function keyOf(shard: number, name: string): string {
  const all = Array.from({ length: 100 }, (_, at) => `${name}-${at}`);
  return all.find((key) => shardOfKey(key, shards) === shard) ?? assert.fail();
}

/** A job with that unique key, launched for that request. */
export function uniqueJob(uniqueKey: string, requestKey = ""): NewJob {
  return { ...demoJob, options: { ...usualOptions, uniqueKey, requestKey } };
}

/**
 * A pool of several shards for the tests of a describe: before each it is emptied and the worker says hello, after each its
 * unique keys are audited.
 */
export function usePoolOfKeys(): PoolUnderTest {
  const under = {} as PoolUnderTest;
  before(async () => {
    Object.assign(under, await startPool({ shards }));
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await under.pool.hello(worker, workerInfo, []);
  });
  afterEach(async () => {
    assert.deepEqual(await auditUniqueKeys(under.redis), []);
  });
  return under;
}

/** What refused: the job that holds the key, and whether to ask again. */
export async function refused(
  asked: Promise<unknown>,
): Promise<[holder: string | undefined, retryAfterMs: number | undefined]> {
  const error = await asked.then(
    () => assert.fail("it was not refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ReasonedError && error.reason === "JOB_ALREADY_EXISTS", String(error));
  return [error.facts.metadata?.job_id, error.facts.retryAfterMs];
}

/** A running job in that shard. */
export async function parentIn({ pool }: PoolUnderTest, shard: number): Promise<HeldLease> {
  for (;;) {
    const { id } = await pool.launch({ ...demoJob, name: "PARENT" });
    if (shardOf(id) === shard) return claim(pool, "PARENT");
    await pool.end(id, "stop");
  }
}

/** Claims the job of that type that is next. */
export async function claim(pool: PoolUnderTest["pool"], name = "DEMO"): Promise<HeldLease> {
  const { jobs } = await pool.claim(worker, [{ name, maxRunning: 0, maxOfKey: 0 }], 1);
  const [job = assert.fail("nothing waits")] = jobs;
  return leaseOf(job);
}
