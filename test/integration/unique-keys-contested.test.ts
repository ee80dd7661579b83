import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { type HeldLease, type Job, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { createJobId, shardOf } from "@drydock/job-controller/domain/job-id.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import type { OperationName } from "@drydock/job-controller/redis/bundle/operations.gen.ts";
import { RedisJobPool } from "@drydock/job-controller/redis/life/job-pool.ts";
import type { Reply } from "@drydock/job-controller/redis/shards/reply.ts";
import { Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards, shardOfKey } from "@drydock/job-controller/redis/shards/shards.ts";
import { demoJob, leaseOf, type PoolUnderTest, startPool, workerInfo, workerNamed } from "../support/pool.ts";

const shards = 2;
const worker = workerNamed("w1");
const key = Array.from({ length: 100 }, (_, at) => `key-${at}`).find((one) => shardOfKey(one, shards) === 0) ?? "";
const unique = { ...demoJob, options: { ...usualOptions, uniqueKey: key } };
const contested = new Set<OperationName>([
  "transitions/launch",
  "transitions/launch-sub-job",
  "transitions/retry",
  "unique/reserve",
]);

describe("a unique key that others reserve and leave all the time", { timeout: 60_000 }, () => {
  let under: PoolUnderTest;
  let pool: RedisJobPool;
  /** The job of the last reservation of the others. */
  let other = "";
  /** How often the others are quicker. */
  let left = 0;
  before(async () => {
    under = await startPool({ shards });
    const { redis, clock } = under;
    /** A shard in which the others are always quicker. */
    class ContestedShard extends Shard {
      override async run(...operation: Parameters<Shard["run"]>): Promise<Reply> {
        if (contested.has(operation[0]) && left-- > 0) {
          other = createJobId(clock.now(), 1);
          // its time to be launched is over
          await redis.hset("{drydock:0}:unique", key, `${other} ${clock.now() - 5_000}-x`);
          await redis.zadd("{drydock:0}:reserved", clock.now(), key);
        }
        return super.run(...operation);
      }
    }
    const all = new Shards(shards, (number) => new ContestedShard(number, redis, clock));
    pool = new RedisJobPool({ redis, shards: all, terms: defaultLeaseTerms, clock });
  });
  after(async () => {
    left = 0;
    await under.stop();
  });
  beforeEach(async () => {
    left = 0;
    await under.redis.flushall();
    await under.pool.hello(worker, workerInfo, []);
  });

  const parentIn = async (shard: number): Promise<HeldLease> => {
    for (;;) {
      const { id } = await under.pool.launch({ ...demoJob, name: "PARENT" });
      const { jobs } = await under.pool.claim(worker, [{ name: "PARENT", maxRunning: 0, maxOfKey: 0 }], 1);
      if (shardOf(id) === shard) return leaseOf({ id: id, token: jobs[0]?.token ?? 0 });
    }
  };
  const cancelled = async (launched: Promise<Job>) => {
    const { id } = await launched;
    await under.pool.end(id, "cancel");
    return id;
  };
  const asks: Record<string, () => Promise<() => Promise<Job>>> = {
    "a launch": async () => () => pool.launch(unique),
    "a sub-job in the key's shard": async () => {
      const parent = await parentIn(0);
      return () => pool.launchSubJob(parent, "sub", unique);
    },
    "a sub-job in another shard": async () => {
      const parent = await parentIn(1);
      return () => pool.launchSubJob(parent, "sub", unique);
    },
    "a retry in the key's shard": async () => {
      const id = await cancelled(under.pool.launch(unique));
      return () => pool.retry(id);
    },
    "a retry in another shard": async () => {
      const id = await cancelled(under.pool.launchSubJob(await parentIn(1), "sub", unique));
      return () => pool.retry(id);
    },
  };

  for (const [what, prepare] of Object.entries(asks)) {
    test(`refuses ${what} after some tries, to be asked again`, async () => {
      const ask = await prepare();
      left = 1_000;
      const facts = { metadata: { job_id: "" }, retryAfterMs: 1_000 };
      await assert.rejects(ask(), (error: { reason: string; facts: typeof facts }) => {
        assert.deepEqual([error.reason, error.facts.retryAfterMs], ["JOB_ALREADY_EXISTS", 1_000]);
        assert.equal(error.facts.metadata.job_id, other);
        return true;
      });
      assert.ok(left > 900, `${left} tries were left`);
    });

    test(`goes to ${what} when the others let it`, async () => {
      const ask = await prepare();
      left = 3;
      assert.equal((await ask()).status, "PENDING");
    });
  }
});
