import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, test } from "node:test";
import { abortable, sleep, withTimeout } from "./abort.ts";

const reason = new Error("enough");

test("sleep rejects with the signal's reason, before or while it waits", async () => {
  await assert.rejects(sleep(60_000, AbortSignal.abort(reason)), reason);
  const abort = new AbortController();
  const sleeping = sleep(60_000, abort.signal);
  abort.abort(reason);
  await assert.rejects(sleeping, reason);
  await sleep(0);
});

test("sleep and withTimeout take times that are longer than those of Node's timers", async () => {
  const abort = new AbortController();
  const ended: string[] = [];
  const sleeping = sleep(2 ** 31 + 1, abort.signal).finally(() => ended.push("sleep"));
  const far = withTimeout(2 ** 33, new AbortController().signal);
  await sleep(20);
  assert.deepEqual([ended, far.aborted], [[], false]);
  abort.abort(reason);
  await assert.rejects(sleeping, reason);
});

test("withTimeout aborts with the first of the signals and the time", async () => {
  assert.equal(withTimeout(60_000, AbortSignal.abort(reason)).reason, reason);
  await assert.rejects(sleep(60_000, withTimeout(1)), { name: "TimeoutError" });
});

describe("abortable", () => {
  test("gives the promise's outcome and leaves no listener", async () => {
    const { signal } = new AbortController();
    assert.equal(await abortable(Promise.resolve(1), signal), 1);
    await assert.rejects(abortable(Promise.reject(reason), signal), reason);
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });

  test("gives the signal's reason when that comes first", async () => {
    const abort = new AbortController();
    const waiting = abortable(new Promise(() => {}), abort.signal);
    abort.abort(reason);
    await assert.rejects(waiting, reason);
    await assert.rejects(abortable(Promise.resolve(1), AbortSignal.abort(reason)), reason);
  });
});
