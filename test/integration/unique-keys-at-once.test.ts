import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { type HeldLease, type Job, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { defaultLeaseTerms } from "@drydock/job-controller/domain/lease-terms.ts";
import { createConnection } from "@drydock/job-controller/redis/connection.ts";
import { RedisJobPool } from "@drydock/job-controller/redis/life/job-pool.ts";
import type { Reply } from "@drydock/job-controller/redis/shards/reply.ts";
import { defineScript, type ScriptedRedis, Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Shards } from "@drydock/job-controller/redis/shards/shards.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { auditUniqueKeys } from "../support/audit.ts";
import { demoJob, leaseOf, type PoolUnderTest, startPool, workerInfo, workerNamed } from "../support/pool.ts";
import { createRandom } from "../support/random.ts";

const shards = 3;
const rounds = 300;
const worker = workerNamed("w1");
const refusals = new Set(["JOB_ALREADY_EXISTS", "JOB_STATUS_FORBIDS"]);
const random = createRandom();

/** A shard whose calls take their time, so that those of many come in any order. */
class SlowShard extends Shard {
  override async run(...operation: Parameters<Shard["run"]>): Promise<Reply> {
    await wait(random.below(4));
    const reply = await super.run(...operation);
    await wait(random.below(4));
    return reply;
  }
}

describe("a unique key of three shards, asked for by three controllers at once", { timeout: 180_000 }, () => {
  let under: PoolUnderTest;
  const pools: RedisJobPool[] = [];
  const parents: HeldLease[] = [];
  const connections: ScriptedRedis[] = [];
  before(async () => {
    under = await startPool({ shards });
    const { clock, server } = under;
    for (let at = 0; at < 3; at++) {
      const redis = defineScript(createConnection(server.url));
      await redis.connect();
      connections.push(redis);
      const slow = new Shards(shards, (number) => new SlowShard(number, redis, clock));
      pools.push(new RedisJobPool({ redis, shards: slow, terms: defaultLeaseTerms, clock }));
    }
    await under.pool.hello(worker, workerInfo, []);
    for (let at = 0; at < 6; at++) await under.pool.launch({ ...demoJob, name: "PARENT" });
    while (parents.length < 6) {
      const { jobs } = await under.pool.claim(worker, [{ name: "PARENT", maxRunning: 0, maxOfKey: 0 }], 6);
      parents.push(...jobs.map(({ id, token }) => leaseOf({ id, token })));
    }
  });
  after(async () => {
    for (const redis of connections) redis.disconnect();
    await under.stop();
  });

  const anyParent = () => parents[random.below(parents.length)] ?? assert.fail();
  const any = () => pools[random.below(pools.length)] ?? assert.fail();
  /** The jobs that were launched or retried; some of them are cancelled again while others are still asked for. */
  const all = async (asked: Promise<Job>[]): Promise<string[]> => {
    const ended = asked.map(async (one) => {
      const { id } = await one;
      if (random.percent(30)) await any().end(id, "cancel");
      return id;
    });
    return (await Promise.allSettled(ended)).flatMap((one) => {
      if (one.status === "fulfilled") return [one.value];
      assert.ok(one.reason instanceof ReasonedError && refusals.has(one.reason.reason), String(one.reason));
      return [];
    });
  };

  test("is not in the way of a request that is asked for at once with it, other ones and none", async (context) => {
    context.diagnostic(`TEST_SEED=${random.seed}`);
    for (let round = 0; round < rounds / 3; round++) {
      const launch = (requestKey: string) => {
        const uniqueKey = random.pick("", "key-0", "key-1", "key-2", `key-${round}`);
        return any().launch({ ...demoJob, options: { ...usualOptions, uniqueKey, requestKey } });
      };
      const answersOf = async (request: string) => {
        const ids = await all(Array.from({ length: 4 }, () => launch(request)));
        // also with another key than before, and while others ask for that
        return new Set(ids.length === 0 ? [] : [...ids, (await launch(request)).id]);
      };
      const answers = await Promise.all([answersOf(`${round}-a`), answersOf(`${round}-b`)]);
      assert.deepEqual(await auditUniqueKeys(under.redis), [], `round ${round}`);
      for (const ids of answers) assert.ok(ids.size <= 1, `round ${round}: ${[...ids]}`);
      const launched = await Promise.all(answers.flatMap((ids) => [...ids].map((id) => under.pool.get(id))));
      assert.ok(launched.length > 0, `round ${round}: somebody gets it`);
      for (const { id, status } of launched) if (status === "PENDING") await any().end(id, "cancel");
    }
  });

  test("is asked for by all calls of a request together, and each is answered", async () => {
    for (let round = 0; round < rounds / 3; round++) {
      const options = { ...usualOptions, uniqueKey: `key-of-${round}`, requestKey: `alone-${round}` };
      const launched = await Promise.all(
        [...pools, ...pools, ...pools].map((pool) => pool.launch({ ...demoJob, options })),
      );
      assert.equal(new Set(launched.map(({ id }) => id)).size, 1, `round ${round}`);
    }
    assert.deepEqual(await auditUniqueKeys(under.redis), []);
  });

  test("has one job alive at most, launched, launched by a job or retried, and blocks nobody for good", async (context) => {
    context.diagnostic(`TEST_SEED=${random.seed}`);
    const known: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const job = { ...demoJob, options: { ...usualOptions, uniqueKey: `key-${round % 5}` } };
      const launches = Array.from({ length: 2 }, () => any().launch(job));
      const subJobs = Array.from({ length: 4 }, (_, at) => any().launchSubJob(anyParent(), `${round} ${at % 3}`, job));
      const retries = known
        .slice(-12)
        .filter(() => random.percent(50))
        .map((id) => any().retry(id));
      const ids = new Set(await all([...launches, ...subJobs, ...retries]));
      assert.deepEqual(await auditUniqueKeys(under.redis), [], `round ${round}`);
      assert.ok(ids.size > 0, `round ${round}: somebody gets it`);
      for (const id of ids) {
        if ((await under.pool.get(id)).status === "PENDING" && random.percent(90)) await under.pool.end(id, "cancel");
        known.push(id);
      }
    }
  });
});
