import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Turns } from "./turns.ts";

const { signal } = new AbortController();
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("turns", () => {
  test("come one after the other in the order in which they were asked for", async () => {
    const turns = new Turns(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const works = ends.map(({ promise }, place) =>
      turns.take(async () => {
        begun.push(place);
        await promise;
        return place;
      }, signal),
    );
    await turn();
    assert.deepEqual(begun, [0, 1]);
    ends[1]?.resolve();
    await turn();
    assert.deepEqual(begun, [0, 1, 2]);
    for (const { resolve } of ends) resolve();
    assert.deepEqual(await Promise.all(works), [0, 1, 2, 3]);
  });

  test("are passed on by work that fails, and by who gives up the wait", async () => {
    const turns = new Turns(1);
    const end = Promise.withResolvers<void>();
    const failing = turns.take(() => end.promise, signal);
    const impatient = new AbortController();
    const givenUp = turns.take(async () => assert.fail("it was given up"), impatient.signal);
    const last = turns.take(async () => "done", signal);
    impatient.abort(new Error("stopped"));
    await assert.rejects(givenUp, /stopped/);
    end.reject(new Error("failed"));
    await assert.rejects(failing, /failed/);
    assert.equal(await last, "done");
    assert.equal(await turns.take(async () => "free again", signal), "free again");
  });
});
