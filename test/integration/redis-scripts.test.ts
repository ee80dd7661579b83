import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { frequentTransitions, readScript } from "@drydock/job-controller/redis/script.ts";
import { demoJob, type PoolUnderTest, startPool } from "../support/pool.ts";
import { until } from "../support/until.ts";

const scripts = [readScript(), readScript((name) => frequentTransitions.has(name))];
const shas = scripts.map((lua) => createHash("sha1").update(lua).digest("hex"));

describe("the scripts of a controller", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool();
  });
  after(() => under.stop());

  const known = () => under.redis.script("EXISTS", ...shas);

  test("are known to Redis before the first call, after a restart of Redis too", async () => {
    assert.deepEqual(await known(), [1, 1]);
    await under.server.crash();
    await until(
      "the loss is seen",
      async () => under.redis.status,
      (status) => status !== "ready",
    );
    await under.server.resume();
    await until(
      "the connection is back",
      async () => under.redis.status,
      (status) => status === "ready",
    );
    assert.deepEqual(await known(), [1, 1]);
  });

  test("come again when Redis was made to forget them", async () => {
    const { pool, redis } = under;
    const { id } = await pool.launch(demoJob);
    await redis.script("FLUSH");
    const calls = Array.from({ length: 300 }, (_, at) => (at % 2 === 0 ? pool.launch(demoJob) : pool.get(id)));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    assert.deepEqual(statuses, Array(300).fill("PENDING"));
  });
});
