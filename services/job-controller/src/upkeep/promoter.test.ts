import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger } from "@drydock/shared/logger.ts";
import type { JobPool } from "../ports/job-pool.ts";
import { Promoter } from "./promoter.ts";

const logger = createLogger({ name: "test", level: "silent" });

describe("the promoter", () => {
  test("sleeps until the next job is due, and wakes earlier for one that it hears of", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout", "Date"], now: 0 });
    const rounds: number[] = [];
    const pool = {
      promote: async () => {
        rounds.push(Date.now());
        return { count: 0, more: false, nextDueAt: 700 };
      },
    } as unknown as JobPool;
    const promoter = new Promoter({ pool, logger, clock: { now: () => Date.now() } });
    const settle = async () => {
      for (let i = 0; i < 5; i++) await Promise.resolve();
    };
    await promoter.start();
    t.mock.timers.tick(0);
    await settle();
    promoter.wakeAt(300);
    promoter.wakeAt(500);
    t.mock.timers.tick(300);
    await settle();
    t.mock.timers.tick(400);
    await settle();
    await promoter.stop();
    t.mock.timers.tick(5_000);
    assert.deepEqual(rounds, [0, 300, 700]);
  });
});
