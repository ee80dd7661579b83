import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { ReasonedError } from "@drydock/shared/errors.ts";
import type { WorkResponse } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { type OutboxMessage, WorkerOutbox } from "./worker-outbox.ts";

const mebibyte = 1024 * 1024;
const drain: OutboxMessage = { $case: "drain", value: {} };

function assignOf(jobId: string, bytes: number): OutboxMessage {
  const run = { name: "DEMO", attempt: 1, logOffset: 0, traceContext: "", runTimeout: undefined };
  return { $case: "assign", value: { lease: { jobId, token: 1 }, ...run, parametersJson: "x".repeat(bytes) } };
}

/** An outbox, and a worker that reads when the test says so. */
function scene() {
  const sent: WorkResponse[] = [];
  const unread: Array<() => void> = [];
  const overflows: ReasonedError[] = [];
  let rooms = 0;
  const outbox = new WorkerOutbox({
    send: (response, taken) => {
      sent.push(response);
      unread.push(taken);
    },
    onRoom: () => rooms++,
    onOverflow: (error) => overflows.push(error),
  });
  const read = () => unread.shift()?.();
  const jobs = () => sent.flatMap(({ messages }) => messages).map(({ message }) => idOf(message));
  return { outbox, sent, overflows, read, jobs, rooms: () => rooms };
}

function idOf(message: OutboxMessage | undefined): string {
  return message?.$case === "assign" ? (message.value.lease?.jobId ?? "") : (message?.$case ?? "");
}

describe("what the controller says to a worker", () => {
  test("in one turn is one message", async () => {
    const { outbox, sent } = scene();
    for (let at = 0; at < 10; at++) outbox.send(drain);
    assert.equal(sent.length, 0);
    await turn();
    assert.deepEqual(
      sent.map(({ messages }) => messages.length),
      [10],
    );
  });

  test("waits while a mebibyte is on its way, and goes on in its order", async () => {
    const { outbox, sent, read, jobs, rooms } = scene();
    const ids = Array.from({ length: 20 }, (_, at) => `job-${at}`);
    for (const id of ids) outbox.send(assignOf(id, mebibyte / 4));
    await turn();
    assert.equal(sent.length, 1);
    assert.equal(outbox.isFull, true);
    while (outbox.isFull) read();
    assert.deepEqual(jobs(), ids, "each once, in their order");
    assert.ok(sent.every(({ messages }) => messages.length <= 4));
    assert.equal(rooms(), 1, "told once that there is room again");
  });

  test("ends the stream when the worker never reads", async () => {
    const { outbox, sent, overflows } = scene();
    for (let at = 0; at < 100_000 && overflows.length === 0; at++) outbox.send(drain);
    await turn();
    assert.deepEqual(
      overflows.map(({ reason }) => reason),
      ["SLOW_READER"],
    );
    assert.ok(sent.length < 100);
  });
});
