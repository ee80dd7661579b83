import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { audit } from "../support/audit.ts";
import { demoJob, type PoolUnderTest, startJob, startPool } from "../support/pool.ts";

const prefix = "{drydock:0}:";
const front = `${prefix}ready:DEMO:4:f`;

describe("the audit", () => {
  let under: PoolUnderTest;
  let parent: string;
  let hooked: string;
  before(async () => {
    under = await startPool();
  });
  after(async () => {
    await under.redis.flushall();
    await under.stop();
  });
  beforeEach(async () => {
    await under.redis.flushall();
    const lease = await startJob(under);
    parent = lease.jobId;
    await under.pool.launchSubJob(lease, "1", demoJob);
    const policy = { ...noPolicy, queueTimeoutMs: 60_000 };
    await under.pool.launch({ ...demoJob, options: { ...usualOptions, uniqueKey: "u", policy, fairnessKey: "f" } });
    const hook = { ...usualOptions, statusHook: "http://127.0.0.1/" };
    hooked = (await under.pool.launch({ ...demoJob, options: hook })).id;
    await under.pool.end(hooked, "stop");
    assert.deepEqual(await faults(), []);
  });

  const faults = () => audit(under.redis, under.shards.first);

  const corruptions: Array<[what: string, corrupt: (redis: PoolUnderTest["redis"]) => Promise<unknown>, says: RegExp]> =
    [
      ["a job that waits nowhere", (redis) => redis.del(`${prefix}ready:DEMO:4:f`), /waits/],
      [
        "a job that waits twice",
        async (redis) => redis.rpush(front, (await redis.lindex(front, 0)) ?? assert.fail()),
        /waits is 2/,
      ],
      ["a job that waits and has ended", (redis) => redis.rpush(front, hooked), /waits is 1, not 0/],
      ["a place of a job that is gone", (redis) => redis.rpush(front, "00000000000000"), /is no job/],
      ["a section that is not listed", (redis) => redis.rename(front, `${prefix}section:DEMO:1:4:f`), /not listed/],
      ["a section without jobs", (redis) => redis.zadd(`${prefix}sections:DEMO:4:f`, 1, 1), /4:f is empty/],
      ["a lane without jobs", (redis) => redis.zadd(`${prefix}lanes:DEMO`, 4 * 2 ** 40, "4:none"), /4:none .*empty/],
      ["jobs without a lane", (redis) => redis.zrem(`${prefix}lanes:DEMO`, "4:f"), /no lane/],
      ["a lane of another rank", (redis) => redis.zadd(`${prefix}lanes:DEMO`, 2 ** 40, "4:f"), /rank 1/],
      ["a job that nobody holds", (redis) => redis.del(`${prefix}held:w1`), /held by/],
      ["a holder without a lease", (redis) => redis.del(`${prefix}leases`), /without a lease/],
      ["a job that is no job", (redis) => redis.zadd(`${prefix}scheduled`, 1, "00000000000000"), /is no job/],
      ["a job that is missing in the index", (redis) => redis.del(`${prefix}index`), /in the index/],
      ["an entry of no job", (redis) => redis.xadd(`${prefix}index`, "*", "id", "00000000000000"), /is no job/],
      ["an end of no job", (redis) => redis.xadd(`${prefix}ended:7`, "*", "id", "00000000000000"), /is no job/],
      ["a job that ended nowhere", (redis) => redis.del(`${prefix}ended:4`), /ended as/],
      ["a wrong count", (redis) => redis.hincrby(`${prefix}counts`, "DEMO:2", 1), /counts say/],
      ["a count that is missing", (redis) => redis.hdel(`${prefix}counts`, "DEMO:2"), /counts say/],
      [
        "a unique key without a job",
        (redis) => redis.hset(`${prefix}unique`, "v", "00000000000000"),
        /holds the unique key/,
      ],
      [
        "a reserved key that is never looked at",
        (redis) => redis.hset(`${prefix}unique`, "v", "00000000000000 1-x"),
        /never looked at/,
      ],
      ["a reservation that is none", (redis) => redis.zadd(`${prefix}reserved`, 1, "v"), /is none/],
      ["a unique job without its key", (redis) => redis.del(`${prefix}unique`), /holds its unique key/],
      ["a job that is to expire and does not wait", (redis) => redis.zadd(`${prefix}expiring`, 1, parent), /to expire/],
      ["a log of a job that is gone", (redis) => redis.xadd(`${prefix}log:00000000000000`, "1-0", "t", "x"), /is gone/],
      ["a parent that counts wrong", (redis) => redis.hincrby(`${prefix}sub-job-totals:${parent}`, "2", 1), /counts 2/],
      ["a parent that counts too few", (redis) => redis.del(`${prefix}sub-job-totals:${parent}`), /counts/],
      [
        "a hook that is due for nothing",
        (redis) => redis.zadd(`${prefix}hook-due:127.0.0.1`, 1, parent),
        /nothing to send/,
      ],
      ["a hook that is due at another host", (redis) => redis.zadd(`${prefix}hook-due:a`, 1, hooked), /not due at a/],
      ["a host without events", (redis) => redis.zadd(`${prefix}hook-hosts:slow`, 1, "a"), /class without events/],
      ["a host that is forgotten", (redis) => redis.del(`${prefix}hook-hosts:new`), /in none with events/],
      ["a host in two classes", (redis) => redis.zadd(`${prefix}hook-hosts:slow`, 1, "127.0.0.1"), /in two classes/],
      ["a lease of no event", (redis) => redis.zadd(`${prefix}hook-leases:a`, 1, parent), /leased at a/],
      ["a wrong count of hooks that wait", (redis) => redis.incr(`${prefix}hook-waiting`), /counted as waiting/],
      ["a retried hook that is not listed", (redis) => redis.hset(`${prefix}hook-tries`, hooked, 1), /failing hooks/],
      [
        "a failing hook of a job without one",
        (redis) => redis.zadd(`${prefix}hook-failing`, 0, parent),
        /failing hooks/,
      ],
      [
        "a failing hook of a job that is gone",
        (redis) => redis.zadd(`${prefix}hook-failing`, 0, "00000000000000"),
        /hook-failing knows/,
      ],
      ["events of a hook that are never told", (redis) => redis.del(`${prefix}hook-due:127.0.0.1`), /not due/],
      [
        "a hook that stands as it should not",
        (redis) => redis.rpush(`${prefix}hook-failed:${hooked}`, "x"),
        /not FAILED/,
      ],
      ["a cause of a job that is gone", (redis) => redis.hset(`${prefix}hook-causes`, "0", "x"), /hook-causes knows/],
      [
        "what does not run and counts for a limit",
        (redis) => redis.zadd(`${prefix}running:DEMO`, 0, "f 0"),
        /running of DEMO/,
      ],
    ];
  for (const [what, corrupt, says] of corruptions) {
    test(`sees ${what}`, async () => {
      await corrupt(under.redis);
      assert.match((await faults()).join("\n"), says);
    });
  }
});
