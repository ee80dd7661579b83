import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reaper } from "./reaper.ts";

function scene() {
  const clock = { time: 1_000_000, now: () => clock.time };
  const redis = { up: true };
  const pool = { looks: 0, reap: async () => ({ count: pool.looks++, more: false }) };
  const reaper = new Reaper({ pool, redis, clock });
  return { clock, redis, pool, run: () => reaper.run(new AbortController().signal), fault: () => reaper.fault };
}

describe("the reaper", () => {
  test("says that it cannot work when no round has come to its end for 10 s, until one does", async () => {
    const { clock, pool, run, fault } = scene();
    await run();
    const { reap } = pool;
    pool.reap = async () => {
      throw new Error("a script fault");
    };
    clock.time += 10_000;
    await assert.rejects(run());
    assert.equal(fault(), undefined);
    clock.time += 2_000;
    assert.match(fault() ?? "", /were not taken back for 12 s/);
    pool.reap = reap;
    await run();
    assert.equal(fault(), undefined);
  });

  test("takes nothing from anybody while Redis is away, and is not late for that", async () => {
    const { clock, redis, pool, run, fault } = scene();
    redis.up = false;
    clock.time += 60_000;
    await run();
    assert.deepEqual([pool.looks, fault()], [0, undefined]);
    redis.up = true;
    await run();
    assert.equal(pool.looks, 1);
  });
});
