import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger } from "@drydock/shared/logger.ts";
import { MemoryRelief } from "./memory-relief.ts";

const signal = new AbortController().signal;

/** A Redis of 1,000 bytes, of which each ended job takes one. */
function scene({
  used,
  ended = used,
  maxMemoryBytes = 1_000,
}: {
  used: number;
  ended?: number;
  maxMemoryBytes?: number;
}) {
  const pool = { used, ended };
  const logged: Array<[string, object]> = [];
  const logger = createLogger({ name: "test", level: "silent" });
  const tell = (facts: unknown, text: unknown) => void logged.push([String(text), facts as object]);
  Object.assign(logger, { warn: tell, info: tell });
  let counted = 0;
  const relief = new MemoryRelief({
    pool: {
      endOfOldest: async (count) => (pool.ended === 0 ? undefined : count),
      relieve: async () => {
        const gone = Math.min(7, pool.ended);
        pool.ended -= gone;
        pool.used -= gone;
        return gone;
      },
    },
    redis: {
      check: async () => {
        const health = { up: true, version: "", latencyMs: 0, warnings: [] };
        return { ...health, usedMemoryBytes: pool.used, maxMemoryBytes };
      },
    },
    logger,
    onRemoved: (count) => {
      counted += count;
    },
  });
  return { pool, logged, relief, counted: () => counted };
}

describe("a Redis that is nearly full", () => {
  test("is left alone up to 85 %", async () => {
    const { relief, logged } = scene({ used: 850 });
    assert.equal(await relief.run(signal), 0);
    assert.deepEqual(logged, []);
  });

  test("loses its oldest ended jobs until it is at 80 %, which is logged once with how many they were", async () => {
    const { relief, pool, logged, counted } = scene({ used: 960 });
    const removed = await relief.run(signal);
    assert.ok(pool.used <= 800 && pool.used > 790, String(pool.used));
    assert.equal(removed, 960 - pool.used);
    assert.equal(counted(), removed);
    assert.deepEqual(
      logged.map(([text]) => text),
      ["redis is nearly full: the oldest ended jobs go, with their logs and reports", "redis has room again"],
    );
    assert.deepEqual(logged[1]?.[1], { removed, usedMemory: "80 %" });
    assert.equal(await relief.run(signal), 0);
    assert.equal(logged.length, 2);
  });

  test("goes on in the next round, without another word, when a round was not enough", async () => {
    const { relief, pool, logged } = scene({ used: 1_000_000, maxMemoryBytes: 1_000_000 });
    assert.equal(await relief.run(signal), 700);
    await relief.run(signal);
    assert.equal(pool.used, 1_000_000 - 1_400);
    assert.equal(logged.length, 1);
  });

  test("says once that no ended job is left, and looks again in each round", async () => {
    const { relief, pool, logged } = scene({ used: 900, ended: 14 });
    await relief.run(signal);
    await relief.run(signal);
    assert.equal(logged.length, 2);
    assert.match(logged[1]?.[0] ?? "", /no ended job is left .*DRYDOCK_KEEP_REPORTS_HOURS/);
    pool.ended = 500;
    await relief.run(signal);
    assert.ok(pool.used <= 800);
    assert.match(logged[2]?.[0] ?? "", /room again/);
  });

  test("stops between two steps when its controller ends", async () => {
    const { relief } = scene({ used: 1_000 });
    assert.equal(await relief.run(AbortSignal.abort()), 0);
  });

  test("is none that has no limit", async () => {
    const { relief } = scene({ used: 1_000, maxMemoryBytes: 0 });
    assert.equal(await relief.run(signal), 0);
  });
});
