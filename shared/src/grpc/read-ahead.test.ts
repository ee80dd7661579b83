import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { withoutReadAhead } from "./read-ahead.ts";

/** A stream of messages that counts those that were read for it. */
function endless() {
  const counter = { read: 0 };
  const stream = new Readable({
    objectMode: true,
    read() {
      setImmediate(() => this.push({ at: ++counter.read }));
    },
  });
  return { counter, stream: withoutReadAhead(stream) };
}

async function turnOften(): Promise<void> {
  for (let at = 0; at < 100; at++) await turn();
}

describe("a stream without read-ahead", () => {
  test("reads nothing while it is paused, and goes on then", async () => {
    const { counter, stream } = endless();
    stream.on("data", ({ at }) => {
      if (at === 2) stream.pause();
    });
    await turnOften();
    assert.ok(counter.read <= 3, `${counter.read} messages were read`);
    stream.resume();
    await turnOften();
    assert.ok(counter.read > 20, `${counter.read} messages were read`);
    stream.destroy();
  });

  test("reads one message at a time for who takes them one by one", async () => {
    const { counter, stream } = endless();
    const messages = stream.iterator({ destroyOnReturn: false });
    for (let at = 1; at <= 5; at++) {
      assert.deepEqual((await messages.next()).value, { at });
      await turnOften();
      assert.ok(counter.read <= at + 1, `${counter.read} messages were read`);
    }
    stream.destroy();
  });
});
