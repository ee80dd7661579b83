import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
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

  test("logs a failure once until a round succeeds, and no outage of Redis, which its watch logs", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const away = new ReasonedError("REDIS_UNAVAILABLE", "Redis is away");
    const outcomes = [away, away, new Error("broken"), away, new Error("broken"), undefined, new Error("again")];
    const run = async () => {
      const outcome = outcomes.shift();
      if (outcome !== undefined) throw outcome;
      return { more: false, nextDueAt: Date.now() + 1_000 };
    };
    const log = createLogger({ name: "test", level: "info", format: "json", destination });
    const loop = new DueLoop({ name: "test", run, logger: log, clock: { now: () => Date.now() } });
    await loop.start();
    for (let round = 0; round < 7; round++) {
      t.mock.timers.tick(round === 0 ? 0 : 1_000);
      for (let i = 0; i < 8; i++) await Promise.resolve();
    }
    await loop.stop();
    assert.equal(outcomes.length, 0);
    const logged = lines.map((line) => JSON.parse(line)).map(({ msg, err }) => [msg, err.message]);
    const msg = "a round failed; it is tried again every second";
    assert.deepEqual(logged, [
      [msg, "broken"],
      [msg, "again"],
    ]);
  });
});
