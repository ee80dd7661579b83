import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { WorkerMessage } from "./messages.ts";
import { Outbox, type OutboxStream } from "./outbox.ts";

class FakeStream implements OutboxStream {
  readonly written: string[] = [];
  writable = true;
  writableNeedDrain = false;
  #onDrain: (() => void) | undefined;

  writes = 0;

  write({ messages }: { messages: Array<{ message: WorkerMessage }> }): boolean {
    this.writes++;
    this.written.push(...messages.map(({ message }) => message.$case));
    return true;
  }

  once(_event: "drain", listener: () => void): void {
    this.#onDrain = listener;
  }

  drain(): void {
    this.writableNeedDrain = false;
    this.#onDrain?.();
  }
}

const lease = { jobId: "job-1", token: 1 };
const checkIn = { text: "x", progress: undefined };
const result = { lease, outcome: { kind: "success" }, checkIn } as const;

describe("an outbox", () => {
  test("writes at the end of the turn what was said in it, Accepts first", async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(stream);
    outbox.send({ $case: "draining", value: {} });
    outbox.checkIn(lease, checkIn);
    outbox.accept(lease);
    assert.deepEqual(stream.written, []);
    await new Promise(setImmediate);
    assert.deepEqual(stream.written, ["accept", "checkin", "draining"]);
    assert.equal(stream.writes, 1);
  });

  test("leaves out the Accept and the check-ins of a job whose result goes out in the same turn", async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(stream);
    outbox.accept(lease);
    outbox.checkIn(lease, checkIn);
    outbox.checkIn({ jobId: "job-2", token: 1 }, checkIn);
    outbox.result(result);
    await new Promise(setImmediate);
    assert.deepEqual(stream.written, ["checkin", "result"]);
  });

  test("waits while the stream is full; of a job's check-ins the newest is left", async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(stream);
    stream.writableNeedDrain = true;
    outbox.checkIn(lease, checkIn);
    await new Promise(setImmediate);
    outbox.checkIn(lease, checkIn);
    await new Promise(setImmediate);
    assert.deepEqual(stream.written, []);
    stream.drain();
    assert.deepEqual(stream.written, ["checkin"]);
  });

  test("writes nothing to a stream that has ended", async () => {
    const stream = new FakeStream();
    const outbox = new Outbox(stream);
    outbox.accept(lease);
    stream.writable = false;
    await new Promise(setImmediate);
    assert.deepEqual(stream.written, []);
  });
});
