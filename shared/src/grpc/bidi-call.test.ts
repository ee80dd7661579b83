import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, test } from "node:test";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { DuplexCall } from "./bidi-call.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("the messages of a call", () => {
  test("are not read on while what the listener returned is pending", async () => {
    const stream = new PassThrough({ objectMode: true });
    const call = new DuplexCall<{ at: number }, never>(
      stream as unknown as ServerDuplexStream<{ at: number }, never>,
      () => {},
    );
    const seen: number[] = [];
    const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
    const ended = call.onMessage(({ at }) => {
      seen.push(at);
      return at === 2 ? room : undefined;
    });
    for (let at = 1; at <= 5; at++) stream.write({ at });
    stream.end();
    await turn();
    assert.deepEqual(seen, [1, 2]);
    makeRoom();
    await ended;
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });

  test("are not over while what the listener returned for the last one is pending", async () => {
    const stream = new PassThrough({ objectMode: true });
    const call = new DuplexCall<object, never>(stream as unknown as ServerDuplexStream<object, never>, () => {});
    const { promise: room, resolve: makeRoom } = Promise.withResolvers<void>();
    let isOver = false;
    const ended = call
      .onMessage(() => room)
      .then(() => {
        isOver = true;
      });
    stream.end({});
    for (let at = 0; at < 5; at++) await turn();
    assert.equal(isOver, false);
    makeRoom();
    await ended;
  });
});
