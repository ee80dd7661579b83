import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LogBuffer } from "./log-buffer.ts";

function bufferOf(offset: number, ...lines: string[]): LogBuffer {
  const buffer = new LogBuffer(offset);
  for (const line of lines) buffer.push(line);
  return buffer;
}

describe("a log buffer", () => {
  test("gives whole lines in pieces that follow each other", () => {
    const buffer = bufferOf(100, "aaa\n", "bé\n", "cc\n");
    assert.deepEqual(buffer.take(8), { offset: 100, bytes: 8, text: "aaa\nbé\n" });
    assert.deepEqual(buffer.take(8), { offset: 108, bytes: 3, text: "cc\n" });
    assert.equal(buffer.take(8), undefined);
  });

  test("gives a line that is longer than a piece by itself", () => {
    const buffer = bufferOf(0, "aaaaaaaaa\n", "b\n");
    assert.equal(buffer.take(4)?.text, "aaaaaaaaa\n");
    assert.equal(buffer.take(4)?.text, "b\n");
  });

  test("is empty when all is acknowledged", () => {
    const buffer = bufferOf(0, "a\n", "b\n");
    buffer.take(2);
    buffer.take(2);
    buffer.acknowledge(2);
    assert.equal(buffer.bytes, 2);
    buffer.acknowledge(4);
    assert.ok(buffer.isEmpty);
  });

  test("gives again after a rewind what was not acknowledged, from where the log really ends", () => {
    const buffer = bufferOf(0, "aé\n", "b\n", "c\n");
    buffer.take(100);
    buffer.push("d\n");
    buffer.rewind();
    buffer.acknowledge(4);
    assert.deepEqual(buffer.take(100), { offset: 4, bytes: 4, text: "b\nc\n" });
    assert.deepEqual(buffer.take(100), { offset: 8, bytes: 2, text: "d\n" });
  });

  test("says how many lines it dropped, in their place", () => {
    const buffer = bufferOf(0, "a\n", "b\n", "c\n", "d\n");
    buffer.take(2);
    buffer.dropLine();
    buffer.dropLine();
    assert.equal(buffer.take(100)?.text, "... 2 lines (4 bytes) dropped: not stored in time ...\nd\n");
    buffer.push("e\n");
    assert.equal(buffer.take(100)?.text, "e\n");
  });

  test("never drops what was sent", () => {
    const buffer = bufferOf(0, "a\n");
    buffer.take(2);
    buffer.dropLine();
    buffer.rewind();
    assert.equal(buffer.take(100)?.text, "a\n");
  });

  test("moves up to the end of a log that is shorter than what had been acknowledged", () => {
    const buffer = bufferOf(0, "a\n", "b\n");
    buffer.take(2);
    buffer.acknowledge(2);
    buffer.take(2);
    buffer.acknowledge(0);
    assert.deepEqual(buffer.take(2), { offset: 0, bytes: 2, text: "b\n" });
    buffer.push("c\n");
    assert.equal(buffer.take(2)?.offset, 2);
  });
});
