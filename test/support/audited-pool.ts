import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { audit } from "./audit.ts";
import { type PoolOptions, type PoolUnderTest, startPool, workerInfo, workerNamed } from "./pool.ts";

/** A pool for the tests of a describe: before each it is emptied and the worker w1 says hello, after each it is audited. */
export function useAuditedPool(options?: PoolOptions): PoolUnderTest {
  const under = {} as PoolUnderTest;
  before(async () => {
    Object.assign(under, await startPool(options));
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await under.pool.hello(workerNamed("w1"), workerInfo, []);
  });
  afterEach(async () => {
    for (const shard of under.shards) assert.deepEqual(await audit(under.redis, shard), []);
  });
  return under;
}
