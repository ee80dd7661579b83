import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger } from "@drydock/shared/logger.ts";
import { DueLoop } from "./due-loop.ts";

const logger = createLogger({ name: "test", level: "silent" });

describe("a loop of what is due", () => {
  test("sleeps until the next job is due, and wakes earlier for one that it hears of", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const rounds: number[] = [];
    const run = async () => {
      rounds.push(Date.now());
      return { more: false, nextDueAt: 700 };
    };
    const loop = new DueLoop({ name: "test", run, logger, clock: { now: () => Date.now() } });
    const settle = async () => {
      for (let i = 0; i < 5; i++) await Promise.resolve();
    };
    await loop.start();
    t.mock.timers.tick(0);
    await settle();
    loop.wakeAt(300);
    loop.wakeAt(500);
    t.mock.timers.tick(300);
    await settle();
    t.mock.timers.tick(400);
    await settle();
    await loop.stop();
    t.mock.timers.tick(5_000);
    assert.deepEqual(rounds, [0, 300, 700]);
  });
});
