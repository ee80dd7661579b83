import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { WorkRequest } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { MessageMemory } from "./message-memory.ts";

const kibibyte = 1024;
const { signal } = new AbortController();
const requestOf = (messages: number) =>
  WorkRequest.fromPartial({ messages: Array.from({ length: messages }, () => ({})) });

function memory() {
  const large = new ByteBudget({ name: "large ones", bytes: 512 * kibibyte, maxWaiting: 1 });
  const small = new ByteBudget({ name: "small ones", bytes: 512 * kibibyte });
  return { large, small, memory: new MessageMemory({ large, small }) };
}

describe("what all Work streams have read and not begun with", () => {
  test("is counted by its messages, but for the few of a worker as it should be", async () => {
    const { small, memory: all } = memory();
    assert.equal(all.roomFor(requestOf(16), signal), undefined);
    await all.roomFor(requestOf(100), signal);
    assert.equal(small.held, 100 * 256);
  });

  test("makes others wait that have read as much, and lets them go on", async () => {
    const { memory: all } = memory();
    const holds = await Promise.all([all.roomFor(requestOf(1_000), signal), all.roomFor(requestOf(1_000), signal)]);
    let isRoom = false;
    const third = all.roomFor(requestOf(1_000), signal)?.then((hold) => {
      isRoom = true;
      hold.shrinkTo(0);
    });
    await turn();
    assert.equal(isRoom, false);
    holds[0]?.shrinkTo(0);
    await third;
    assert.equal(isRoom, true);
  });

  test("does not hold up small ones when it is large", async () => {
    const { large, memory: all } = memory();
    await all.roomFor(requestOf(3_000), signal);
    assert.equal(large.held, 512 * kibibyte);
    await all.roomFor(requestOf(500), signal);
    const call = new AbortController();
    const waiting = assert.rejects(Promise.resolve(all.roomFor(requestOf(3_000), call.signal)), /over/);
    await assert.rejects(Promise.resolve(all.roomFor(requestOf(3_000), signal)), /large ones of others/);
    call.abort(new Error("over"));
    await waiting;
  });
});
