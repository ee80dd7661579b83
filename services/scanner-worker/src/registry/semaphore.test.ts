import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Semaphore } from "./semaphore.ts";

const { signal } = new AbortController();
const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("a semaphore", () => {
  test("runs tasks in the order of their calls, and at most its count at once", async () => {
    const semaphore = new Semaphore(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const tasks = ends.map(({ promise }, place) =>
      semaphore.run(async () => {
        begun.push(place);
        await promise;
        return place;
      }, signal),
    );
    await tick();
    assert.deepEqual(begun, [0, 1]);
    ends[1]?.resolve();
    await tick();
    assert.deepEqual(begun, [0, 1, 2]);
    for (const { resolve } of ends) resolve();
    assert.deepEqual(await Promise.all(tasks), [0, 1, 2, 3]);
  });

  test("passes the permit on after a task that fails and an aborted wait", async () => {
    const semaphore = new Semaphore(1);
    const end = Promise.withResolvers<void>();
    const failing = semaphore.run(() => end.promise, signal);
    const impatient = new AbortController();
    const givenUp = semaphore.run(async () => assert.fail("it was given up"), impatient.signal);
    const last = semaphore.run(async () => "done", signal);
    impatient.abort(new Error("stopped"));
    await assert.rejects(givenUp, /stopped/);
    end.reject(new Error("failed"));
    await assert.rejects(failing, /failed/);
    assert.equal(await last, "done");
    assert.equal(await semaphore.run(async () => "free again", signal), "free again");
  });
});
