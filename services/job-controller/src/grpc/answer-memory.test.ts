import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ByteBudget } from "@drydock/shared/byte-budget.ts";
import { ReasonedError } from "@drydock/shared/errors.ts";
import type { CallContext } from "@drydock/shared/grpc/call-context.ts";
import { AnswerMemory } from "./answer-memory.ts";

const kibibyte = 1024;
const large = 200 * kibibyte;
const small = 20 * kibibyte;
const tiny = 4 * kibibyte;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const isBusy = (error: unknown) => error instanceof ReasonedError && error.reason === "SERVER_BUSY";

/** A call that goes on until the test ends it. */
function callOf(abort = new AbortController()) {
  const listeners: Array<() => void> = [];
  const call = { signal: abort.signal, onOver: (listener: () => void) => listeners.push(listener) };
  const end = () => {
    for (const listener of listeners) listener();
  };
  return { call: call as unknown as CallContext, end };
}

/** Room for two large answers and for two small ones; nobody may wait for it. */
function scene() {
  const budget = (bytes: number) => new ByteBudget({ name: "tests", bytes, maxWaiting: 0 });
  const budgets = { making: budget(large), unreadLarge: budget(2 * large), unreadSmall: budget(2 * small) };
  return { memory: new AnswerMemory(budgets), budgets };
}

describe("the memory of answers", () => {
  test("has a small answer made at once, and none that is tiny counts", () => {
    const { memory, budgets } = scene();
    for (let at = 0; at < 100; at++)
      assert.equal(
        memory.roomFor(callOf().call).make(tiny, () => "answer"),
        "answer",
      );
    assert.equal(
      memory.roomFor(callOf().call).make(small, () => "answer"),
      "answer",
    );
    assert.deepEqual([budgets.unreadSmall.held, budgets.unreadLarge.held], [small, 0]);
  });

  test("is bounded until the clients have taken their answers, the small ones for themselves", async () => {
    const { memory, budgets } = scene();
    const calls = Array.from({ length: 2 }, () => callOf());
    for (const bytes of [large, small]) {
      for (const { call } of calls) assert.equal(await memory.roomFor(call).make(bytes, () => bytes), bytes);
      await assert.rejects(async () => memory.roomFor(callOf().call).make(bytes, () => bytes), isBusy);
    }
    for (const { end } of calls) end();
    assert.deepEqual([budgets.unreadSmall.held, budgets.unreadLarge.held], [0, 0]);
    assert.equal(await memory.roomFor(callOf().call).make(large, () => "answer"), "answer");
  });

  test("does not refuse the answer of a call that has changed something, but makes it brief", async () => {
    const { memory } = scene();
    const answers = Array.from({ length: 3 }, () =>
      memory.roomFor(callOf().call).makeOrBrief(
        large,
        () => "whole",
        () => "brief",
      ),
    );
    assert.deepEqual(await Promise.all(answers), ["whole", "whole", "brief"]);
  });

  test("has large answers made in turns of the event loop of their own", async () => {
    const { memory } = scene();
    let made = 0;
    const making = Promise.all([1, 2].map(() => memory.roomFor(callOf().call).make(large, () => made++)));
    const seen: number[] = [];
    for (let at = 0; at < 20; at++) {
      seen.push(made);
      await turn();
    }
    await making;
    assert.deepEqual(new Set(seen), new Set([0, 1, 2]));
  });

  test("makes no answer for who is gone", async () => {
    const { memory, budgets } = scene();
    const gone = new AbortController();
    const { call, end } = callOf(gone);
    const making = memory.roomFor(call).make(large, () => assert.fail("made for nobody")) as Promise<never>;
    gone.abort(new Error("gone"));
    await assert.rejects(making, /gone/);
    end();
    assert.equal(budgets.unreadLarge.held, 0);
  });

  test("holds a list's largest size while it is made, and what it has become from then on", async () => {
    const { memory, budgets } = scene();
    const made = Promise.withResolvers<void>();
    const { call, end } = callOf();
    const answer = memory.answer(call, () => made.promise.then(() => ({ response: "page", bytes: large })));
    await turn();
    assert.equal(budgets.making.held, large);
    await assert.rejects(
      memory.answer(callOf().call, () => assert.fail("made beside it")),
      isBusy,
    );
    made.resolve();
    assert.equal(await answer, "page");
    assert.deepEqual([budgets.making.held, budgets.unreadLarge.held], [0, large]);
    end();
    assert.equal(budgets.unreadLarge.held, 0);
  });

  test("holds one message of a stream, until the next is asked for or the stream ends", async () => {
    const { memory, budgets } = scene();
    async function* items() {
      yield* [large, tiny, large, large];
    }
    const messages = { bytesOf: (bytes: number) => bytes, toMessage: (bytes: number) => bytes };
    const stream = memory.stream(callOf().call, items, messages);
    const held: number[] = [];
    for (let at = 0; at < 3; at++) {
      await stream.next();
      held.push(budgets.unreadLarge.held);
    }
    await stream.next();
    assert.equal((await stream.next()).done, true);
    // it counts three times, and more than the whole budget is the whole
    assert.deepEqual([...held, budgets.unreadLarge.held], [2 * large, 0, 2 * large, 0]);
  });
});
