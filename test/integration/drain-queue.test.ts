import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type LaunchOptions, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { createRedisQueueControl } from "@drydock/job-controller/redis/operators/queue-control.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, demoTypes, leaseOf, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");

for (const shards of [1, 3]) {
  describe(`a drain of a queue, with ${shards} shards`, () => {
    const under = useAuditedPool({ shards });

    const launch = async (options: Partial<LaunchOptions> = {}) =>
      (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
    const launchMany = (count: number, options: (at: number) => Partial<LaunchOptions> = () => ({})) =>
      Promise.all(Array.from({ length: count }, (_, at) => launch(options(at))));
    const statusesOf = async (ids: string[]) => [
      ...new Set(await Promise.all(ids.map(async (id) => (await under.pool.get(id)).status))),
    ];
    const drain = (from: string, limit: number) => under.queues.drain("DEMO", from, limit);
    const claim = async (limit: number) => (await under.pool.claim(worker, demoTypes, limit)).jobs;

    /** Goes on until it is done; resolves to how many it stopped in how many parts. */
    async function drainAll(limit: number, between: () => Promise<unknown> = async () => {}, from = "") {
      const done = { stopped: 0, parts: 0 };
      for (let next = from; done.parts === 0 || next !== ""; done.parts++) {
        const report = await drain(next, limit);
        assert.ok(report.stopped <= limit);
        done.stopped += report.stopped;
        next = report.next;
        await between();
        assert.ok(done.parts < 1_000, "it ends");
      }
      return done;
    }

    test("ends while others launch as fast, and leaves what they launch in its order", async () => {
      const keys = ["", "a", "b"];
      const before = await launchMany(40, (at) => ({ fairnessKey: keys[at % 3] ?? "", priority: 4 + (at % 2) }));
      const later: string[] = [];
      const { stopped } = await drainAll(5, async () => {
        // in the same millisecond, and a later one
        for (let at = 0; at < 5; at++) later.push(await launch({ fairnessKey: "b" }));
        under.clock.advance(1);
      });
      assert.equal(stopped, 40);
      assert.deepEqual(await statusesOf(before), ["STOPPED"]);
      assert.deepEqual(await statusesOf(later), ["PENDING"]);
      const taken = (await claim(later.length)).map(({ id }) => id);
      for (let shard = 0; shard < shards; shard++) {
        const own = (ids: string[]) => ids.filter((id) => id[9] === String(shard));
        assert.deepEqual(own(taken), own(later));
      }
    });

    test("costs the jobs that stay no turn", async () => {
      await launchMany(30 * shards, () => ({ fairnessKey: "a" }));
      const { next } = await drain("", 1);
      const stays = await launchMany(shards, () => ({ fairnessKey: "a" }));
      await launchMany(10 * shards, () => ({ fairnessKey: "b" }));
      await drainAll(10, undefined, next);
      const taken = await claim(2);
      assert.equal(taken.filter(({ id }) => stays.includes(id)).length, 1, "both keys take turns");
    });

    test("looks at many lanes of one turn in parts, while claims move and empty some of them", async () => {
      const before = await launchMany(120, (at) => ({ fairnessKey: `key-${at % 60}` }));
      let count = 0;
      const running: string[] = [];
      const { stopped } = await drainAll(3, async () => {
        await launch({ fairnessKey: `key-${(7 * ++count) % 60}` });
        if (running.length < 30) running.push(...(await claim(2)).map(({ id }) => id));
      });
      const ran = before.filter((id) => running.includes(id));
      assert.equal(stopped, 120 - ran.length);
      assert.deepEqual(await statusesOf(before.filter((id) => !ran.includes(id))), ["STOPPED"]);
    });

    test("does a bounded part at a time, and finds no places that jobs have left", async () => {
      const ids = await launchMany(shards * 1_000);
      const far = ids.slice(shards * 300, shards * 700);
      await Promise.all(far.map((id) => under.pool.end(id, "stop")));
      const { stopped, parts } = await drainAll(150);
      assert.equal(stopped, ids.length - far.length);
      assert.equal(parts, Math.ceil((shards * 600 + 1) / 150));
      assert.deepEqual(await under.redis.keys("*ready:*"), []);
    });

    test("knows what was launched before by more than the clocks of the controllers", async () => {
      under.clock.advance(5_000);
      const ahead = await launchMany(2 * shards);
      under.clock.advance(-5_000);
      const before = await launchMany(2 * shards);
      const { next } = await drain("", 1);
      const later = await launchMany(2 * shards);
      await drainAll(10, undefined, next);
      assert.deepEqual(await statusesOf([...ahead, ...before]), ["STOPPED"]);
      assert.deepEqual(await statusesOf(later), ["PENDING"]);
    });

    test("goes on at another controller, and at the same place when the answer to a part was lost", async () => {
      const before = await launchMany(12);
      const { next } = await drain("", 4);
      await drain(next, 4);
      const later = await launchMany(shards);
      const other = createRedisQueueControl(under.redis, under.shards, under.clock);
      assert.deepEqual(await other.drain("DEMO", next, 1_000), { stopped: 4, next: "" });
      assert.deepEqual(await statusesOf(before), ["STOPPED"]);
      assert.deepEqual(await statusesOf(later), ["PENDING"]);
    });

    test("passes by what is given back to the front, and stops what waits behind it", async () => {
      const before = await launchMany(3 * shards);
      const running = await claim(shards);
      const { next } = await drain("", 1);
      const later = await launchMany(shards);
      for (const { id, token } of running) await under.pool.release(leaseOf({ id, token }));
      await drainAll(100, undefined, next);
      const waited = before.filter((id) => !running.some((job) => job.id === id));
      assert.deepEqual(await statusesOf(waited), ["STOPPED"]);
      assert.deepEqual(await statusesOf(later), ["PENDING"]);
    });
  });
}
