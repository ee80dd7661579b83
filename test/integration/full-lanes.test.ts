import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type ClaimedJob, type LaunchOptions, usualOptions } from "@drydock/job-controller/domain/job.ts";
import { Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { Dispatcher } from "@drydock/job-controller/usecases/dispatcher.ts";
import type { WorkerSession } from "@drydock/job-controller/usecases/worker-session.ts";
import { createLogger } from "@drydock/shared/logger.ts";
import { useAuditedPool } from "../support/audited-pool.ts";
import { demoJob, leaseOf, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const types = [{ name: "DEMO", maxRunning: 0, maxOfKey: 1 }];
/** Each key has a lane in each of these priorities. */
const priorities = [9, 8, 7, 6, 5, 4, 3, 2];
/** Lanes in all: 456. */
const keys = Array.from({ length: 57 }, (_, at) => `k${at}`);

for (const shards of [1, 3]) {
  describe(`lanes whose key has no room, in ${shards} shards`, () => {
    const under = useAuditedPool({ shards });
    /** One for each 200 lanes, or for each priority in each shard. */
    const callsOfRound = shards === 1 ? 3 : shards * priorities.length;

    const launch = async (options: Partial<LaunchOptions> = {}) =>
      (await under.pool.launch({ ...demoJob, options: { ...usualOptions, ...options } })).id;
    const end = ({ id, token }: ClaimedJob) => under.pool.succeed(leaseOf({ id, token }), {});

    /** One job of each key runs, and eight wait. */
    async function fillLanes(): Promise<ClaimedJob[]> {
      await Promise.all(keys.map((fairnessKey) => launch({ fairnessKey, priority: 9 })));
      const { jobs } = await under.pool.claim(worker, types, 100);
      assert.equal(jobs.length, keys.length);
      await Promise.all(keys.flatMap((fairnessKey) => priorities.map((priority) => launch({ fairnessKey, priority }))));
      return jobs;
    }

    function countClaims(context: TestContext) {
      const counted = { calls: 0 };
      const run = Shard.prototype.run;
      context.mock.method(Shard.prototype, "run", function (this: Shard, ...args: Parameters<typeof run>) {
        if (args[0] === "transitions/claim") counted.calls++;
        return run.apply(this, args);
      });
      return counted;
    }

    /** A worker with free slots, and what it was handed out. */
    function join(slots: number) {
      const running: ClaimedJob[] = [];
      let [claims, answered] = [0, 0];
      const session = {
        ...{ identity: worker, names: new Set(["DEMO"]), slots },
        get free() {
          return slots - running.length;
        },
        async claim(_: string[], limit: number) {
          claims++;
          const { jobs, more, busy } = await under.pool.claim(worker, types, limit);
          running.push(...jobs);
          answered++;
          return { more, busy };
        },
      };
      const dispatcher = new Dispatcher(createLogger({ name: "test", level: "silent" }));
      dispatcher.add(session as unknown as WorkerSession);
      /** Resolves when the dispatcher has nothing more to do. */
      const settled = async () => {
        for (let idle = 0; idle < 20; idle = claims === answered ? idle + 1 : 0) await turn();
      };
      return { dispatcher, running, settled };
    }

    test("do not keep those behind them from being handed out at once", async () => {
      await fillLanes();
      const waiting = await Promise.all(Array.from({ length: 60 }, () => launch({ priority: 1 })));
      const { running, settled } = join(100);
      await settled();
      assert.deepEqual(running.map(({ id }) => id).sort(), waiting.sort());
    });

    test("cost one round of claims when somebody looks, and then nothing until the next look", async (context) => {
      await fillLanes();
      const counted = countClaims(context);
      const { dispatcher, running, settled } = join(100);
      await settled();
      dispatcher.lookEverywhere();
      await settled();
      assert.deepEqual(running, []);
      assert.ok(counted.calls >= 2 && counted.calls <= 2 * callsOfRound, `${counted.calls} calls`);
    });

    test("are all worked off, as soon as their keys have room", async () => {
      const first = await fillLanes();
      const { dispatcher, running, settled } = join(100);
      await settled();
      running.push(...first);
      for (const _ of priorities) {
        await Promise.all(running.splice(0).map(end));
        dispatcher.wake("DEMO");
        await settled();
        assert.equal(running.length, keys.length, "one of each key");
      }
    });

    test("are seen by a claim when their key has room again, wherever they stand", async () => {
      const first = await fillLanes();
      for (const at of [0, 30, 56]) {
        await end(first[at] ?? assert.fail());
        assert.equal((await under.pool.claim(worker, types, 9)).jobs.length, 1);
      }
    });

    test("come first again once they have room", async () => {
      const [first = assert.fail()] = await fillLanes();
      const low = [await launch({ priority: 1 }), await launch({ priority: 1 })];
      assert.ok(low.includes((await under.pool.claim(worker, types, 1)).jobs[0]?.id ?? ""));
      await end(first);
      const [next = assert.fail()] = (await under.pool.claim(worker, types, 1)).jobs;
      assert.ok(!low.includes(next.id));
    });
  });
}

describe("a claim that goes on behind lanes without room", () => {
  const under = useAuditedPool({ constants: { MOST_PASSED: 2 } });
  // lanes that begin at the same turn are in the order of their keys
  const launch = (fairnessKey: string, name = "DEMO") =>
    under.pool.launch({ ...demoJob, name, options: { ...usualOptions, fairnessKey } });
  const claim = (limit: number, names = ["DEMO"]) =>
    under.pool.claim(
      worker,
      names.map((name) => ({ name, maxRunning: 0, maxOfKey: 1 })),
      limit,
    );

  /** Does something right behind the nth call of the next claim. */
  function between(context: TestContext, nth: number, act: () => Promise<unknown>) {
    const run = Shard.prototype.run;
    let calls = 0;
    context.mock.method(Shard.prototype, "run", async function (this: Shard, ...args: Parameters<typeof run>) {
      const reply = await run.apply(this, args);
      if (args[0] === "transitions/claim" && ++calls === nth) await act();
      return reply;
    });
  }

  /** `count` keys, each with one running job and several waiting ones. */
  async function fill(count: number, waiting = 1) {
    const fullKeys = Array.from({ length: count }, (_, at) => `k${at}`);
    for (const key of fullKeys) await launch(key);
    const { jobs } = await claim(count);
    for (const key of fullKeys) for (let at = 0; at < waiting; at++) await launch(key);
    return jobs;
  }

  for (const [what, waiting] of [
    ["is gone", 1],
    ["has moved back", 2],
  ] as const) {
    test(`leaves nobody out when the lane that it passed last ${what}`, async (context) => {
      const [, second = assert.fail()] = await fill(6, waiting);
      const wanted = await launch("z");
      between(context, 1, async () => {
        await under.pool.succeed(leaseOf(second), {});
        assert.equal((await claim(1)).jobs.length, 1, "another one takes of that lane");
      });
      const { jobs } = await claim(2);
      assert.deepEqual(
        jobs.map(({ id }) => id),
        [wanted.id],
      );
    });
  }

  test("takes nothing of the next job type before it has come to the end of the first", async () => {
    await fill(6);
    const [first, other] = [await launch("z"), await launch("z", "OTHER")];
    const { jobs } = await claim(1, ["DEMO", "OTHER"]);
    assert.deepEqual(
      jobs.map(({ id }) => id),
      [first.id],
    );
    assert.deepEqual(
      (await claim(1, ["DEMO", "OTHER"])).jobs.map(({ id }) => id),
      [other.id],
    );
  });
});
