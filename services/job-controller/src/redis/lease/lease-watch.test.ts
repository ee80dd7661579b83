import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LeaseWatch } from "./lease-watch.ts";

/** A watch, and looks that take so long. */
function watch() {
  const clock = { time: 1_000_000, now: () => clock.time };
  const own = new LeaseWatch({ unwatchedMs: 2_000, beatMs: 5_000 }, clock);
  const look = (tookMs: number) =>
    own.look(async (since) => {
      clock.time += tookMs;
      return since;
    });
  const fail = () =>
    own.look(async () => {
      throw new Error("Redis does not answer");
    });
  return { clock, look, fail };
}

describe("a watch over the leases", () => {
  test("goes on from look to look, however slowly Redis answers", async () => {
    const { clock, look } = watch();
    assert.equal(await look(2_900), 0, "the first look follows none");
    for (let at = 0; at < 5; at++) {
      const before = clock.time - 2_900;
      clock.time += 700;
      assert.equal(await look(2_900), before);
    }
  });

  test("is broken by a look that failed, and one that took as long as a beat", async () => {
    const { clock, look, fail } = watch();
    await look(100);
    await assert.rejects(fail());
    assert.equal(await look(100), 0);
    assert.equal(await look(5_001), clock.time - 5_101);
    assert.equal(await look(100), 0);
    assert.notEqual(await look(100), 0);
  });

  test("is broken by a controller that stood still between two looks", async () => {
    const { clock, look } = watch();
    await look(100);
    clock.time += 2_000;
    assert.notEqual(await look(100), 0);
    clock.time += 2_001;
    assert.equal(await look(100), 0);
  });
});
