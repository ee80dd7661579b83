import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { abortable } from "@drydock/shared/abort.ts";
import { withLayerLock } from "./layer-lock.ts";

const lease = { jobId: "job-1", token: 3 };
const layer = { scanner: "clair", layer: "a" };

/** Lets everything go on that waits for no timer. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns += 1) await turn();
}

describe("work under a layer's lock", () => {
  let abort: AbortController;
  let asked: string[];
  let isOthers: boolean;
  let answer: Promise<void>;
  let waits: { ms: number; end: () => void }[];
  const locks = {
    lock: async () => {
      asked.push("lock");
      await answer;
      return !isOthers;
    },
    unlock: async () => void asked.push("unlock"),
  };
  const pause = (ms = 0, signal: AbortSignal = abort.signal) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waits.push({ ms, end: resolve });
    return abortable(promise, signal);
  };
  const begin = (work: () => Promise<void>) =>
    withLayerLock({ locks, lease, layer, signal: abort.signal, pause }, work);
  const working = () => {
    const end = Promise.withResolvers<void>();
    const done = begin(async () => {
      asked.push("work");
      await end.promise;
    });
    return { end, done };
  };

  beforeEach(() => {
    abort = new AbortController();
    asked = [];
    isOthers = false;
    answer = Promise.resolve();
    waits = [];
  });

  test("is done at once while nobody else has the lock, which is given back", async () => {
    await begin(async () => void asked.push("work"));
    await settle();
    assert.deepEqual(asked, ["lock", "work", "unlock"]);
  });

  test("begins at the latest a second after the other run's lock has ended", async () => {
    isOthers = true;
    const { end, done } = working();
    for (let tries = 1; tries <= 20; tries += 1) {
      await settle();
      assert.equal(asked.length, tries);
      waits.at(-1)?.end();
    }
    await settle();
    assert.ok(asked.every((what) => what === "lock"));
    assert.ok(waits.every(({ ms }) => ms <= 1_000));
    isOthers = false;
    waits.at(-1)?.end();
    await settle();
    assert.equal(asked.at(-1), "work");
    end.resolve();
    await done;
  });

  test("keeps the lock for as long as it takes, and not longer", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const { end, done } = working();
    await settle();
    for (let renewals = 0; renewals < 3; renewals += 1) {
      t.mock.timers.tick(5_000);
      await settle();
    }
    assert.deepEqual(asked, ["lock", "work", "lock", "lock", "lock"]);
    end.resolve();
    await done;
    await settle();
    t.mock.timers.tick(60_000);
    await settle();
    assert.deepEqual(asked.slice(5), ["unlock"]);
  });

  test("gives the lock back behind a renewal that is under way, and does not wait for that", async (t) => {
    t.mock.timers.enable({ apis: ["setInterval"] });
    const renewed = Promise.withResolvers<void>();
    const { end, done } = working();
    await settle();
    answer = renewed.promise;
    t.mock.timers.tick(5_000);
    end.resolve();
    await done;
    await settle();
    assert.deepEqual(asked, ["lock", "work", "lock"]);
    renewed.reject(new Error("the lease is lost"));
    await settle();
    assert.equal(asked.at(-1), "unlock");
  });

  test("that fails gives the lock back", async () => {
    await assert.rejects(
      begin(async () => assert.fail("no luck")),
      /no luck/,
    );
    await settle();
    assert.deepEqual(asked, ["lock", "unlock"]);
  });

  test("is not begun by a run that was stopped while it waited", async () => {
    isOthers = true;
    const { done } = working();
    await settle();
    abort.abort(new Error("stopped"));
    await assert.rejects(done, /stopped/);
    assert.ok(!asked.includes("work"));
  });
});
