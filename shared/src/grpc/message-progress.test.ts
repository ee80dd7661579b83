import assert from "node:assert/strict";
import { test } from "node:test";
import { isWholeMessage, MessageProgress } from "./message-progress.ts";

function message(size: number): Buffer {
  const bytes = Buffer.alloc(5 + size, 0xff);
  bytes[0] = 0;
  bytes.writeUInt32BE(size, 1);
  return bytes;
}

test("messages are told apart wherever their bytes are cut", () => {
  const sizes = [0, 1, 70_000, 3, 0, 300];
  const bytes = Buffer.concat(sizes.map(message));
  const ends = new Set<number>();
  let end = 0;
  for (const size of sizes) {
    end += 5 + size;
    ends.add(end);
  }
  for (const step of [1, 2, 3, 5, 7, 1_000, 16_384, bytes.length]) {
    const progress = new MessageProgress();
    for (let at = 0; at < bytes.length; at += step) {
      const next = Math.min(at + step, bytes.length);
      const hasEnd = [...ends].some((end) => end > at && end <= next);
      assert.equal(progress.push(bytes.subarray(at, next)), hasEnd, `step ${step}, at ${at}`);
      assert.equal(progress.isWithinMessage, !ends.has(next), `step ${step}, at ${at}`);
    }
  }
});

test("a piece is whole when it is one message and nothing else", () => {
  for (const size of [0, 1, 5, 300]) {
    assert.ok(isWholeMessage(message(size)));
    assert.ok(!isWholeMessage(message(size).subarray(0, -1)));
    assert.ok(!isWholeMessage(Buffer.concat([message(size), Buffer.alloc(1)])));
  }
  assert.ok(!isWholeMessage(Buffer.alloc(0)));
});
