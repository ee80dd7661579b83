import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "@drydock/shared/clock.ts";
import { ReplyError } from "ioredis";
import { Packr } from "msgpackr";
import { type ScriptedRedis, Shard } from "./shard.ts";

/** A shard of which two calls are under way and an operation waits behind them, and what becomes of each. */
async function scene() {
  const calls: Array<PromiseWithResolvers<Buffer>> = [];
  const call = () => {
    const answer = Promise.withResolvers<Buffer>();
    calls.push(answer);
    return answer.promise;
  };
  const fake = { drydockBuffer: call, drydockFrequentBuffer: call } as unknown as ScriptedRedis;
  const shard = new Shard(0, fake, systemClock);
  const outcomes: string[] = [];
  const run = async (name: string) => {
    const outcome = await shard.run("read", name).then(String, () => "failed");
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
