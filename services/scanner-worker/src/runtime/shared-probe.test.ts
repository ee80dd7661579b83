import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { sharedProbe } from "./shared-probe.ts";

describe("a shared probe", () => {
  let now = 0;
  let asked: { signal: AbortSignal; end: PromiseWithResolvers<void> }[] = [];
  const never = new AbortController().signal;
  const make = () =>
    sharedProbe(
      (signal) => {
        const end = Promise.withResolvers<void>();
        asked.push({ signal, end });
        return end.promise;
      },
      { now: () => now },
    );
  beforeEach(() => {
    asked = [];
  });

  test("is one request for all that ask at once, and for a second after its end", async () => {
    const probe = make();
    const both = [probe(never), probe(never)];
    asked[0]?.end.resolve();
    await Promise.all(both);
    now += 999;
    await probe(never);
    assert.equal(asked.length, 1);
    now += 1;
    void probe(never);
    assert.equal(asked.length, 2);
  });

  test("fails for all of them", async () => {
    const probe = make();
    const both = [probe(never), probe(never)];
    asked[0]?.end.reject(new Error("away"));
    for (const one of both) await assert.rejects(one, /away/);
    await assert.rejects(probe(never), /away/);
    assert.equal(asked.length, 1);
  });

  test("goes on when one that asked gives up, and is given up with the last", async () => {
    const probe = make();
    const [first, second] = [new AbortController(), new AbortController()];
    const both = [probe(first.signal), probe(second.signal)];
    first.abort(new Error("first"));
    await assert.rejects(both[0] ?? assert.fail(), /first/);
    assert.equal(asked[0]?.signal.aborted, false);
    second.abort(new Error("second"));
    await assert.rejects(both[1] ?? assert.fail(), /second/);
    assert.equal(asked[0]?.signal.aborted, true);
    void probe(never);
    assert.equal(asked.length, 2, "what was given up stands for nobody");
  });
});
