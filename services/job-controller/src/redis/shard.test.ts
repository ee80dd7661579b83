import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { systemClock } from "@drydock/shared/clock.ts";
import { ReplyError } from "ioredis";
import { Packr } from "msgpackr";
import { type Argument, type ScriptedRedis, Shard } from "./shard.ts";

const { pack, unpack } = new Packr({ useRecords: false });

/** Runs more operations than one call takes; the first call fails in that way. */
async function runMany(failure: Error): Promise<string[]> {
  let calls = 0;
  const drydockBuffer = async (...args: Argument[]): Promise<Buffer> => {
    if (++calls === 1) throw failure;
    return pack(unpack(args[6] as Buffer).map(() => "done"));
  };
  const shard = new Shard(0, { drydockBuffer } as unknown as ScriptedRedis, systemClock);
  const running = Array.from({ length: 2_000 }, () => shard.run("read", "1"));
  return (await Promise.allSettled(running)).map(({ status }) => status);
}

describe("the calls of a shard", () => {
  test("that Redis refuses fail alone", async () => {
    const statuses = await runMany(new ReplyError("ERR not now"));
    assert.equal(statuses.filter((status) => status === "rejected").length, 96);
    assert.equal(statuses.at(-1), "fulfilled");
  });

  test("that Redis does not answer fail with all that waits behind them", async () => {
    const statuses = await runMany(new Error("Command timed out"));
    assert.equal(statuses.at(-1), "rejected");
  });
});
