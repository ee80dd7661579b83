import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "@drydock/shared/clock.ts";
import { ReplyError } from "ioredis";
import { Packr } from "msgpackr";
import { type ScriptedRedis, Shard } from "./shard.ts";

/** A shard without a Redis: its calls wait until they are answered. */
function shardAlone() {
  const calls: Array<PromiseWithResolvers<Buffer> & { args: unknown[] }> = [];
  const call = (...args: unknown[]) => {
    const answer = Promise.withResolvers<Buffer>();
    calls.push({ ...answer, args });
    return answer.promise;
  };
  const fake = { drydockBuffer: call, withFiles: (text: string) => text } as unknown as ScriptedRedis;
  return { shard: new Shard(0, fake, systemClock), calls };
}

/** A shard with two calls in flight and an operation that waits behind them, and the outcome of each. */
async function scene() {
  const { shard, calls } = shardAlone();
  const outcomes: string[] = [];
  const run = async (name: string) => {
    const outcome = await shard.run("operators/read", name).then(String, () => "failed");
    outcomes.push(`${name} ${outcome}`);
  };
  for (const name of ["first", "second", "third"]) {
    void run(name);
    await turn();
  }
  assert.equal(calls.length, 2);
  return { calls, outcomes };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const packr = new Packr({ useRecords: false });
const replyOf = (word: string) => Buffer.from(packr.pack([word]));
/** The operations of a call, each a list of its number and arguments. */
const operationsOf = ([, , , operations]: unknown[]): unknown[][] => packr.unpack(operations as Buffer);

describe("the operations that wait for a call", () => {
  test("go on when Redis refuses that call alone", async () => {
    const { calls, outcomes } = await scene();
    calls[0]?.reject(new ReplyError("ERR a fault in the script"));
    await turn();
    await turn();
    assert.deepEqual([outcomes, calls.length], [["first failed"], 3]);
    for (const { resolve } of calls) resolve(replyOf("done"));
    await turn();
    assert.deepEqual(outcomes, ["first failed", "second done", "third done"]);
  });

  test("fail with it when Redis does not answer", async () => {
    const { calls, outcomes } = await scene();
    calls[0]?.reject(new Error("Command timed out"));
    await turn();
    assert.deepEqual([outcomes, calls.length], [["first failed", "third failed"], 2]);
  });
});

describe("the operations of one turn", () => {
  function runMany(shard: Shard, count: number): void {
    for (let at = 0; at < count; at++) shard.run("transitions/confirm", `job ${at}`).catch(() => {});
  }

  test("are one call at its end", async () => {
    const { shard, calls } = shardAlone();
    runMany(shard, 55);
    assert.equal(calls.length, 0);
    await turn();
    assert.equal(calls.length, 1);
  });

  test("are cut by the bytes of their arguments too, in their order, and each is answered on its own", async () => {
    const { shard, calls } = shardAlone();
    const text = "x".repeat(256 * 1024);
    const results = Array.from({ length: 10 }, (_, at) => shard.run("transitions/confirm", `job ${at}`, text));
    const answers: number[][] = [];
    for (let at = 0; answers.flat().length < 10; at++) {
      if (calls[at] === undefined) await turn();
      const call = calls[at] ?? assert.fail("no further call");
      const names = operationsOf(call.args).map(([, name]) => Number(String(name).split(" ")[1]));
      answers.push(names);
      call.resolve(Buffer.from(packr.pack(names)));
    }
    assert.deepEqual(answers, [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]);
    assert.deepEqual(await Promise.all(results), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("with more bytes than a call has are calls of their own, and leave the others together", async () => {
    const { shard, calls } = shardAlone();
    void shard.run("reports/put", "large", Buffer.alloc(3 * 1024 * 1024)).catch(() => {});
    runMany(shard, 20);
    await turn();
    assert.deepEqual(
      calls.map(({ args }) => operationsOf(args).length),
      [1, 20],
    );
  });

  test("that list jobs are calls of their own, one at a time, and others go beside them", async () => {
    const { shard, calls } = shardAlone();
    const list = () => shard.run("operators/list", "index", "", 200, 1);
    const lists = [list(), list(), list()];
    runMany(shard, 10);
    await turn();
    const sizes = () => calls.map(({ args }) => operationsOf(args).length);
    assert.deepEqual(sizes(), [1, 10]);
    calls[0]?.resolve(replyOf("first"));
    assert.equal(await lists[0], "first");
    await turn();
    assert.deepEqual(sizes(), [1, 10, 1]);
    calls[2]?.reject(new Error("Command timed out"));
    await assert.rejects(Promise.any(lists.slice(1)), "the list that waits fails with it");
  });

  test("do not wait for its end when they are many and Redis has nothing to do", () => {
    const { shard, calls } = shardAlone();
    runMany(shard, 56);
    assert.equal(calls.length, 1);
    runMany(shard, 95);
    assert.equal(calls.length, 1, "Redis is busy");
    runMany(shard, 1);
    assert.equal(calls.length, 2, "a whole call");
  });
});
