import assert from "node:assert/strict";
import { after, before, beforeEach, describe, type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { ClaimableType } from "@drydock/job-controller/ports/job-pool.ts";
import type { OperationName } from "@drydock/job-controller/redis/bundle/operations.gen.ts";
import type { Reply } from "@drydock/job-controller/redis/shards/reply.ts";
import { list } from "@drydock/job-controller/redis/shards/reply.ts";
import { redisUnavailable } from "@drydock/job-controller/redis/shards/reply-errors.ts";
import { Shard } from "@drydock/job-controller/redis/shards/shard.ts";
import { demoJob, demoTypes, type PoolUnderTest, startPool, workerInfo, workerNamed } from "../support/pool.ts";

const worker = workerNamed("w1");
const limited: ClaimableType = { name: "LIMITED", maxRunning: 9, maxOfKey: 0 };
const [free] = demoTypes as [ClaimableType];

describe("a claim from several shards", () => {
  let under: PoolUnderTest;
  before(async () => {
    under = await startPool({ shards: 3 });
  });
  after(() => under.stop());
  beforeEach(async () => {
    await under.redis.flushall();
    await under.pool.hello(worker, workerInfo, []);
    for (let at = 0; at < 6; at++) {
      await under.pool.launch({ ...demoJob, name: "LIMITED" });
      await under.pool.launch(demoJob);
    }
  });

  /** Asks before each operation whether it is to fail; notes those that were asked for, and answers. */
  function watchRuns(context: TestContext, fails: (name: OperationName, hasTaken: boolean) => boolean) {
    const asked: string[] = [];
    const run = Shard.prototype.run;
    let hasTaken = false;
    context.mock.method(Shard.prototype, "run", async function (this: Shard, ...args: Parameters<typeof run>) {
      asked.push(args[0]);
      if (fails(args[0], hasTaken)) throw redisUnavailable(new Error("it went away"));
      const reply: Reply = await run.apply(this, args);
      asked.push(`${args[0]} answered`);
      if (args[0] === "transitions/claim") hasTaken ||= list(reply).length > 4;
      return reply;
    });
    return asked;
  }

  const takeTurnOfAnother = () => home().run("queue/take-turn", "LIMITED", "another controller", 60_000);
  const home = () => under.shards.ofKey("LIMITED");

  const failures: Array<[string, ClaimableType[], OperationName]> = [
    ["the next shard's claim", [free], "transitions/claim"],
    ["the next shard's claim in a turn", [limited], "transitions/claim"],
    ["the next count of what runs", [limited], "queue/running"],
    ["the end of the turn", [limited], "queue/end-turn"],
    ["the turn of the next type", [free, limited], "queue/take-turn"],
  ];
  for (const [what, types, failing] of failures) {
    test(`hands over what it has taken though ${what} fails`, async (context) => {
      watchRuns(context, (name, hasTaken) => hasTaken && name === failing);
      const { jobs, more } = await under.pool.claim(worker, types, 9);
      context.mock.restoreAll();
      assert.ok(jobs.length > 0);
      assert.ok(more || jobs.length === 6, "the others are not forgotten");
      const { lost } = await under.pool.beat(
        worker,
        jobs.map(({ id, token }) => ({ jobId: id, token })),
      );
      assert.deepEqual(lost, []);
    });
  }

  test("fails when it has taken nothing", async (context) => {
    watchRuns(context, (name) => name === "transitions/claim");
    for (const types of [[free], [limited], [limited, free]]) {
      await assert.rejects(under.pool.claim(worker, types, 9), { reason: "REDIS_UNAVAILABLE" });
    }
  });

  test("takes other types while another controller claims of one, and says which to try again", async (context) => {
    await takeTurnOfAnother();
    const asked = watchRuns(context, () => false);
    const { jobs, busy } = await under.pool.claim(worker, [limited, free], 9);
    assert.deepEqual([jobs.map(({ name }) => name), busy], [Array(6).fill("DEMO"), ["LIMITED"]]);
    assert.equal(asked.filter((name) => name === "queue/take-turn").length, 1, "it does not wait");
    await home().run("queue/end-turn", "LIMITED", "another controller");
    assert.equal((await under.pool.claim(worker, [limited], 9)).jobs.length, 6);
  });

  test("keeps other controllers waiting for half a second at most when its turn is never ended", async (context) => {
    watchRuns(context, (name) => name === "queue/end-turn");
    assert.equal((await under.pool.claim(worker, [limited], 2)).jobs.length, 2);
    const left = await under.redis.pttl(home().keys.jobs.replace("jobs", "claim-turn:LIMITED"));
    assert.ok(left <= 500, `${left} ms`);
  });

  /** Runs each operation, and loses the next answer to that one. */
  function loseAnswer(context: TestContext, lost: OperationName): void {
    const run = Shard.prototype.run;
    let isLost = false;
    context.mock.method(Shard.prototype, "run", async function (this: Shard, ...args: Parameters<typeof run>) {
      const reply: Reply = await run.apply(this, args);
      if (args[0] !== lost || isLost) return reply;
      isLost = true;
      throw redisUnavailable(new Error("it went away"));
    });
  }

  test("takes its turn again when the answer was lost that it had it", async (context) => {
    loseAnswer(context, "queue/take-turn");
    await assert.rejects(under.pool.claim(worker, [limited], 9), { reason: "REDIS_UNAVAILABLE" });
    assert.equal((await under.pool.claim(worker, [limited], 9)).jobs.length, 6);
  });

  test("takes no turn again in which it has claimed: what it claimed may come to Redis late", async (context) => {
    loseAnswer(context, "transitions/claim");
    await assert.rejects(under.pool.claim(worker, [limited], 9), { reason: "REDIS_UNAVAILABLE" });
    assert.deepEqual((await under.pool.claim(worker, [limited], 9)).busy, ["LIMITED"]);
  });

  test("lets other controllers come between its turns", async (context) => {
    const asked = watchRuns(context, () => false);
    await Promise.all([under.pool.claim(worker, [limited], 1), under.pool.claim(worker, [limited], 1)]);
    const second = asked.lastIndexOf("queue/take-turn");
    assert.ok(
      asked.indexOf("queue/end-turn answered") > 0 && asked.indexOf("queue/end-turn answered") < second,
      asked.join(),
    );
  });

  test("takes nothing when it is late in its turn, and says that more may be waiting", async (context) => {
    // the turn ends by the clock of Redis, which no test can move
    const run = Shard.prototype.run;
    context.mock.method(Shard.prototype, "run", async function (this: Shard, ...args: Parameters<typeof run>) {
      if (args[0] === "queue/running") await wait(510);
      return run.apply(this, args);
    });
    const late = await under.pool.claim(worker, [limited], 9);
    assert.deepEqual(late, { jobs: [], more: true, busy: [], refused: [] });
  });

  test("shares what kept the one before it from its turn, instead of waiting for that again", async (context) => {
    const asked = watchRuns(context, (name) => name === "queue/take-turn");
    const claims = () => Array.from({ length: 5 }, () => under.pool.claim(worker, [limited], 1));
    const failed = await Promise.allSettled(claims());
    assert.ok(failed.every(({ status }) => status === "rejected"));
    assert.equal(asked.filter((name) => name === "queue/take-turn").length, 1);
    context.mock.restoreAll();
    const claimed = await Promise.all(claims());
    assert.equal(claimed.flatMap(({ jobs }) => jobs).length, 5, "the next ones are not held back by it");
  });
});
