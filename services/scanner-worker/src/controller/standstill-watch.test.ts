import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StandstillWatch } from "./standstill-watch.ts";

/** A watch with two clocks that the test moves. */
function watch() {
  const [monotonic, wall] = [{ ms: 5 }, { ms: 1_000_000 }];
  const standstills: number[] = [];
  const clocks = [() => monotonic.ms, () => wall.ms];
  return { monotonic, wall, standstills, watch: new StandstillWatch((ms) => standstills.push(ms), clocks) };
}

describe("a standstill of the process", () => {
  test("is noticed by whichever clock went on, once", (context) => {
    context.mock.timers.enable({ apis: ["setInterval"] });
    const { monotonic, wall, standstills, watch: own } = watch();
    monotonic.ms += 8_000;
    own.look();
    wall.ms += 60_000;
    context.mock.timers.tick(500);
    own.look();
    assert.deepEqual(standstills, [8_000, 60_000]);
    own.stop();
  });

  test("is not what a busy event loop or a clock that was set back looks like", (context) => {
    context.mock.timers.enable({ apis: ["setInterval"] });
    const { monotonic, wall, standstills, watch: own } = watch();
    for (const [passed, onWall] of [
      [500, 500],
      [2_000, 2_000],
      [500, -3_600_000],
      [1_500, 1_500],
    ] as const) {
      monotonic.ms += passed;
      wall.ms += onWall;
      own.look();
    }
    assert.deepEqual(standstills, []);
    own.stop();
  });
});
