import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "@drydock/shared/clock.ts";
import { ReplyError } from "ioredis";
import { Packr } from "msgpackr";
import { type ScriptedRedis, Shard } from "./shard.ts";

/** A shard without a Redis: its calls wait until they are answered. */
function shardAlone() {
  const calls: Array<PromiseWithResolvers<Buffer>> = [];
  const call = () => {
    const answer = Promise.withResolvers<Buffer>();
    calls.push(answer);
    return answer.promise;
  };
  const fake = { drydockBuffer: call, withFiles: (text: string) => text } as unknown as ScriptedRedis;
  return { shard: new Shard(0, fake, systemClock), calls };
}

/** A shard of which two calls are under way and an operation waits behind them, and what becomes of each. */
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
const replyOf = (word: string) => Buffer.from(new Packr({ useRecords: false }).pack([word]));

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
    for (let at = 0; at < count; at++) shard.run("operators/read", `job ${at}`).catch(() => {});
  }

  test("are one call at its end", async () => {
    const { shard, calls } = shardAlone();
    runMany(shard, 55);
    assert.equal(calls.length, 0);
    await turn();
    assert.equal(calls.length, 1);
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
