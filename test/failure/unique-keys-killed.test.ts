import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shardOf } from "@drydock/job-controller/domain/job-id.ts";
import { shortHash, uniqueKeyOf } from "@drydock/job-controller/domain/unique-key.ts";
import { shardOfKey } from "@drydock/job-controller/redis/shards/shards.ts";
import { readRedis, startKillPlace } from "../support/kill-place.ts";
import { refusalOf } from "../support/refusal.ts";
import { until } from "../support/until.ts";
import { launchSubJob } from "../support/worker-calls.ts";

const settings = { DRYDOCK_SHARDS: "3" };

describe("a controller of several shards that is killed in the middle of", { concurrency: 2 }, () => {
  test("two unique sub-jobs' launches blocks their keys for seconds, and leaves none reserved", async () => {
    await using place = await startKillPlace(settings);
    const { stack, lost, killDuring, join } = place;
    const worker = await join(lost);
    const { id } = await lost.api.launch("SCRIPTED", {});
    const { lease } = await worker.takeJob();
    const [asked, left] = launchesElsewhere(id);
    await killDuring(() => {
      for (const launch of [asked, left]) void refusalOf(launchSubJob(worker, lease, { ...launch, isUnique: true }));
    });
    const readReserved = () =>
      readRedis(stack, async (redis) => {
        const keys = [0, 1, 2].map((shard) => `{drydock:${shard}}:reserved`);
        return (await Promise.all(keys.map((key) => redis.zrange(key, "0", "-1")))).flat();
      });
    assert.equal((await readReserved()).length, 2, "they were reserved by the one that is dead");
    const other = await stack.startController(settings);
    const again = await join(other, { ...worker.hello, held: [lease] });
    const ask = async () => {
      const job = { name: "SCRIPTED", parameters: asked.parameters, metadata: { isUnique: true } };
      return other.api.launchAs({ job }).catch((error: unknown) => String(error));
    };
    const launched = await until("it is launched", ask, (answer) => typeof answer !== "string");
    assert.ok(typeof launched === "object");
    assert.equal((await launchSubJob(again, lease, { ...asked, isUnique: true })).stats?.id, launched.id);
    await readRedis(stack, async (redis) => {
      const home = shardOfKey(uniqueKeyOf("SCRIPTED", "", left.parameters), 3);
      // its time for upkeep has come, and each controller begins with that
      await redis.zadd(`{drydock:${home}}:reserved`, 1, uniqueKeyOf("SCRIPTED", "", left.parameters));
    });
    await stack.startController(settings);
    await until("nothing is reserved", readReserved, (keys) => keys.length === 0);
  });

  test("a launch of a reserved unique key leaves both to the next that is asked for the request, at once", async () => {
    await using place = await startKillPlace(settings);
    const { stack, lost, killDuring, join } = place;
    await join(lost, { slots: 0 });
    await lost.api.launch("SCRIPTED", {});
    const { api } = await stack.startController(settings);
    const launch = requestElsewhere();
    await killDuring(() => void refusalOf(lost.api.launchAs(launch)));
    assert.equal((await api.list()).length, 1, "it was not launched by the one that is dead");
    const held = await readRedis(stack, (redis) => redis.hvals(`{drydock:${launch.keyShard}}:unique`));
    const { id } = await api.launchAs(launch);
    assert.deepEqual(
      held.map((one) => one.split(" ")[0]),
      [id],
      "it was reserved for that job",
    );
    const [again, without] = [api.launchAs(launch), api.launchAs({ ...launch, job: { name: "SCRIPTED" } })];
    assert.deepEqual([(await again).id, (await without).id], [id, id]);
    assert.equal((await api.list()).length, 2);
  });
});

/** A launch whose unique key falls to another shard than its request. */
function requestElsewhere() {
  const keyShard = shardOfKey(uniqueKeyOf("SCRIPTED", "", {}), 3);
  const all = Array.from({ length: 50 }, (_, at) => `request ${at}`);
  const requestId = all.find((one) => shardOfKey(shortHash(one), 3) !== keyShard) ?? assert.fail();
  return { job: { name: "SCRIPTED", metadata: { isUnique: true } }, requestId, keyShard };
}

/** Two sub-jobs whose unique keys fall to other shards than their parent's. */
function launchesElsewhere(parentId: string) {
  const all = Array.from({ length: 50 }, (_, at) => ({ key: `${at}`, name: "SCRIPTED", parameters: { at } }));
  const isElsewhere = ({ name, parameters }: (typeof all)[0]) =>
    shardOfKey(uniqueKeyOf(name, "", parameters), 3) !== shardOf(parentId);
  const [one = assert.fail(), other = assert.fail()] = all.filter(isElsewhere);
  return [one, other] as const;
}
