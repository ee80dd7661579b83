import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sleep } from "./abort.ts";
import { createLogger } from "./logger.ts";
import { every } from "./loop.ts";

/** A logger and the messages that it got. */
function logSink() {
  const messages: string[] = [];
  const destination = { write: (line: string) => messages.push(JSON.parse(line).msg) };
  return { messages, logger: createLogger({ name: "test", format: "json", destination }) };
}

/** Runs the loop with a function that gets the number of the round, until round n has ended. */
async function rounds(count: number, runOnce: (round: number, signal: AbortSignal) => Promise<void>) {
  const { logger, messages } = logSink();
  const done = Promise.withResolvers<void>();
  let round = 0;
  const loop = every(
    1,
    async (signal) => {
      round += 1;
      if (round > count) return done.resolve();
      await runOnce(round, signal);
    },
    { name: "test", logger },
  );
  await loop.start();
  await done.promise;
  await loop.stop();
  return messages;
}

describe("every", () => {
  test("never overlaps itself", async () => {
    let running = 0;
    let most = 0;
    await rounds(5, async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(3);
      running -= 1;
    });
    assert.equal(most, 1);
  });

  test("goes on after a failure, and logs an outage once when it begins and once when it ends", async () => {
    const messages = await rounds(6, async (round) => {
      if (round >= 2 && round <= 4) throw new Error("away");
    });
    assert.deepEqual(messages, ["a round failed", "works again"]);
  });

  test("stop aborts the running round and waits for it", async () => {
    const { logger, messages } = logSink();
    const isRunning = Promise.withResolvers<void>();
    let hasEnded = false;
    const loop = every(
      1_000_000,
      async (signal) => {
        isRunning.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        await new Promise(setImmediate);
        hasEnded = true;
        throw signal.reason;
      },
      { name: "test", logger },
    );
    await loop.start();
    await loop.start();
    await isRunning.promise;
    await loop.stop();
    assert.ok(hasEnded);
    assert.deepEqual(messages, []);
    await loop.stop();
  });

  test("stop ends the wait between two rounds", async () => {
    const { logger } = logSink();
    const hasRun = Promise.withResolvers<void>();
    const loop = every(1_000_000, async () => hasRun.resolve(), { name: "test", logger, jitter: 0.5 });
    await loop.start();
    await hasRun.promise;
    await loop.stop();
  });

  test("stop before start does nothing", async () => {
    await every(1, async () => {}, { name: "test", logger: logSink().logger }).stop();
  });
});
