import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  next,
  releaseAtEnd,
  type StreamEvent,
  type StreamState,
  StreamStateMachine,
  streamRules,
  streamTransitions,
} from "./stream-state.ts";

const states = Object.keys(streamRules) as StreamState[];
const events = [...new Set(streamTransitions.map(({ event }) => event))];

/** A stream that these events happened to, one after the other. */
function streamAfter(...past: StreamEvent[]): StreamStateMachine {
  const stream = new StreamStateMachine();
  for (const event of past) stream.apply(event);
  return stream;
}

describe("the life of a Work stream", () => {
  for (const { from, event, to } of streamTransitions) {
    test(`${event} leads from ${from} to ${to}`, () => {
      assert.equal(next(from, event), to);
    });
  }

  test("has at most one row for a state and an event, and no row that changes nothing", () => {
    const pairs = streamTransitions.map(({ from, event }) => `${from}: ${event}`);
    assert.equal(new Set(pairs).size, pairs.length);
    assert.ok(streamTransitions.every(({ from, to }) => from !== to));
  });

  test("stays where it is at every event that the table does not have", () => {
    for (const state of states) {
      for (const event of events) {
        const isInTable = streamTransitions.some((row) => row.from === state && row.event === event);
        if (!isInTable) assert.equal(next(state, event), state, `${state}: ${event}`);
      }
    }
  });

  test("is over when the stream is closed: no event leaves that", () => {
    assert.deepEqual(
      events.map((event) => next("closed", event)),
      events.map(() => "closed"),
    );
  });

  test("ends from every other state", () => {
    assert.deepEqual(
      states.map((state) => next(state, "end")),
      states.map(() => "closed"),
    );
  });

  test("reaches every state from the first one", () => {
    const reached = new Set<StreamState>(["awaitingHello"]);
    for (const state of reached) for (const event of events) reached.add(next(state, event));
    assert.deepEqual([...reached].sort(), states.toSorted());
  });
});

describe("the state of a Work stream", () => {
  test("lets the worker take jobs when it is open, and at no other time", () => {
    assert.deepEqual(
      states.filter((state) => streamRules[state].takesJobs),
      ["open"],
    );
  });

  test("lets a worker that was unresponsive take jobs again, but not one that is superseded or drained meanwhile", () => {
    const silent = ["first message", "welcome", "assign not accepted"] as const;
    assert.equal(streamAfter(...silent, "accept or beat").state, "open");
    assert.equal(streamAfter(...silent, "claim refused", "accept or beat").state, "superseded");
    assert.equal(streamAfter(...silent, "drain", "accept or beat").state, "drainRequested");
    assert.equal(streamAfter(...silent, "draining", "accept or beat").state, "draining");
  });

  test("has messages handled from the Welcome to the end", () => {
    const handled = states.filter((state) => streamRules[state].messages === "handled");
    assert.deepEqual(handled, ["open", "unresponsive", "superseded", "drainRequested", "draining"]);
  });

  test("says how the end releases the lease: a planned one gives back, a broken one cuts, a shutdown keeps", () => {
    const releases = states.map((state) => [state, releaseAtEnd(state, false), releaseAtEnd(state, true)]);
    assert.deepEqual(releases, [
      ["awaitingHello", "keep", "keep"],
      ["opening", "disconnect", "keep"],
      ["open", "disconnect", "keep"],
      ["unresponsive", "disconnect", "keep"],
      ["superseded", "disconnect", "keep"],
      ["drainRequested", "disconnect", "keep"],
      ["draining", "leave", "leave"],
      ["closed", "keep", "keep"],
    ]);
  });

  test("tells whether an event changed it", () => {
    const stream = streamAfter("first message", "welcome");
    assert.deepEqual([stream.apply("drain"), stream.apply("drain"), stream.state], [true, false, "drainRequested"]);
    assert.deepEqual([stream.apply("draining"), stream.apply("drain"), stream.state], [true, false, "draining"]);
    assert.equal(stream.rules, streamRules.draining);
  });
});
