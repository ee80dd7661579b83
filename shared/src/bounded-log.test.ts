import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoundedLog } from "./bounded-log.ts";
import { createLogger } from "./logger.ts";

/** A log whose lines and clock are the test's. */
function setUp() {
  const lines: Array<Record<string, unknown>> = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const clock = { at: 0, now: () => clock.at };
  const log = new BoundedLog(createLogger({ name: "test", format: "json", destination }), clock);
  return { log, lines, clock };
}

describe("a bounded log", () => {
  test("writes a text so often in a time, and says afterwards how many lines it has left out", () => {
    const { log, lines, clock } = setUp();
    for (let at = 0; at < 1_500; at++) log.info({ at }, "a worker has joined");
    assert.equal(lines.length, 1_000);
    clock.at = 10_000;
    for (const at of [1, 2]) log.info({ at }, "a worker has joined");
    assert.deepEqual(
      lines.slice(1_000).map(({ at, leftOut }) => ({ at, leftOut })),
      [
        { at: 1, leftOut: 500 },
        { at: 2, leftOut: undefined },
      ],
    );
  });

  test("leaves out no other text for it", () => {
    const { log, lines } = setUp();
    for (let at = 0; at < 1_500; at++) log.info({}, "a worker has joined");
    log.error({}, "call failed");
    assert.deepEqual([lines.at(-1)?.msg, lines.at(-1)?.level], ["call failed", "error"]);
  });
});
