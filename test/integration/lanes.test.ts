import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LaunchOptions, noPolicy, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { commandCode } from "@drydock/job-controller/redis/record/job-codec.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, leaseOf, workerNamed } from "../support/pool.ts";
import { createRandom } from "../support/random.ts";

const worker = workerNamed("w1");

describe("the lanes of a queue", () => {
  const under = useAuditedPool();

  const launch = async (options: Partial<LaunchOptions> = {}) =>
    (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
  const launchMany = (count: number) => Promise.all(Array.from({ length: count }, () => launch()));
  const claim = async (limit: number) => (await under.pool.claim(worker, demoTypes, limit)).jobs;
  const claimAll = async () => {
    const ids: string[] = [];
    for (let jobs = await claim(150); jobs.length > 0; jobs = await claim(150)) ids.push(...jobs.map(({ id }) => id));
    return ids;
  };
  const kept = async () => {
    const kinds = ["ready", "section", "sections", "lanes", "turns"];
    return (await Promise.all(kinds.map((kind) => under.redis.keys(`*${kind}:*`)))).flat();
  };

  test("are left by a job that waited too long, and with it goes all of an empty queue", async () => {
    await launch({ policy: { ...noPolicy, queueTimeoutMs: 1_000 } });
    under.clock.advance(1_000);
    await under.pool.expire();
    assert.deepEqual(await kept(), []);
  });

  test("leave nothing behind when the last one is stopped after others were claimed", async () => {
    await launch({ fairnessKey: "a" });
    const last = await launch({ fairnessKey: "b" });
    const [first = assert.fail()] = await claim(1);
    await under.pool.end(last === first.id ? assert.fail() : last, "stop");
    assert.deepEqual(await kept(), []);
  });

  test("hand out a thousand jobs in the order in which they came", async () => {
    const ids = await launchMany(1_000);
    assert.deepEqual(await claimAll(), ids);
    assert.deepEqual(await kept(), []);
  });

  test("are left at once by jobs that are stopped or wait too long, wherever those stand", async () => {
    const policy = { ...noPolicy, queueTimeoutMs: 1_000 };
    const stays = await launchMany(500);
    const expiring = await Promise.all(Array.from({ length: 500 }, () => launch({ policy })));
    const [stopped, last] = [await launchMany(700), await launchMany(300)];
    const random = createRandom();
    for (const id of stopped.toSorted(() => random.below(3) - 1)) await under.pool.end(id, "stop");
    under.clock.advance(1_000);
    for (let report = await under.pool.expire(); report.more; report = await under.pool.expire());
    assert.deepEqual(await placesOf([...expiring, ...stopped]), []);
    assert.deepEqual(await claimAll(), [...stays, ...last]);
  });

  test("do not grow by jobs that are launched and stopped again behind others that nobody takes", async () => {
    await launchMany(450);
    const before = await kept();
    for (let round = 0; round < 30; round++) {
      for (const id of await launchMany(50)) await under.pool.end(id, "stop");
    }
    assert.deepEqual((await kept()).length, before.length);
  });

  test("take a job that is brought back at their end, and one that is given back at their front", async () => {
    const ids = await launchMany(650);
    const [first = "", back = ""] = [ids[0], ids[300]];
    await under.pool.end(back, "cancel");
    await under.pool.retry(back);
    const [held = assert.fail()] = await claim(1);
    await under.pool.release(leaseOf(held));
    const rest = ids.slice(1).filter((id) => id !== back);
    assert.deepEqual(await claimAll(), [first, ...rest, back]);
  });

  test("find a job whose section has come to the front, also when another one has its number by now", async () => {
    const ids = await launchMany(400);
    await claim(200);
    const later = await launchMany(201);
    const ended = [ids[250], ids[399], later[0], later[200]] as string[];
    for (const id of ended) await under.pool.end(id, "stop");
    assert.deepEqual(await placesOf(ended), []);
  });

  test("find a job that was brought back where it stands now", async () => {
    const [first = "", ...others] = await launchMany(250);
    await under.pool.end(first, "cancel");
    await under.pool.retry(first);
    await under.pool.end(first, "cancel");
    assert.deepEqual(await placesOf([first]), []);
    assert.deepEqual(await claimAll(), others);
  });

  /** Those of the ids that stand in a list. */
  async function placesOf(ids: string[]): Promise<string[]> {
    const keys = [...(await under.redis.keys("*ready:*")), ...(await under.redis.keys("*section:*"))];
    const waiting = new Set((await Promise.all(keys.map((key) => under.redis.lrange(key, 0, -1)))).flat());
    return ids.filter((id) => waiting.has(id));
  }
});

describe("a lane of many sections", () => {
  const under = useAuditedPool({ constants: { MOST_IN_SECTION: 2 } });

  const launch = async () => (await under.pool.launch(demoJob)).id;
  const claim = async (limit: number) => (await under.pool.claim(worker, demoTypes, limit)).jobs.map(({ id }) => id);

  test("takes jobs behind its front, in the same call in which its last section comes there", async () => {
    const first = [await launch(), await launch()];
    const [third, taken, fourth] = await Promise.all([launch(), claim(2), launch()]);
    assert.deepEqual([taken, await claim(9)], [first, [third, fourth]]);
  });

  test("takes jobs behind its front, in the same call in which its last section goes", async () => {
    const [first, second, third] = [await launch(), await launch(), await launch()];
    await under.pool.end(third, "cancel");
    const shard = under.shards.first;
    const asked = [
      shard.run("transitions/retry", third, "", ""),
      shard.run("transitions/stop", third, commandCode("cancel")),
    ];
    const [last] = await Promise.all([launch(), ...asked]);
    assert.deepEqual(await claim(9), [first, second, last]);
  });
});
