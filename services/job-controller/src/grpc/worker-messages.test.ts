import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MessageWindow } from "./worker-messages.ts";

describe("the messages of a Work stream that are being handled", () => {
  test("are bounded: from then on the stream is read when one of them is handled, well or not", async () => {
    const window = new MessageWindow();
    const handlings = Array.from({ length: 4_000 }, () => Promise.withResolvers<void>());
    for (const [at, { promise }] of handlings.entries()) {
      assert.equal(window.room, undefined, `${at} messages`);
      window.add(promise);
    }
    const { room } = window;
    assert.ok(room instanceof Promise);
    handlings[0]?.reject(new Error("refused"));
    await room;
    assert.equal(window.room, undefined);
    window.add(new Promise(() => {}));
    handlings[1]?.resolve();
    await window.room;
    assert.equal(window.room, undefined);
  });
});
