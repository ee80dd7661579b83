import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, ceilingMs } from "./backoff.ts";

const backoff = { baseMs: 100, capMs: 5_000 };

test("the ceiling doubles with each failure up to the cap", () => {
  assert.deepEqual(
    [1, 2, 3, 6, 7, 1_000].map((failures) => ceilingMs(backoff, failures)),
    [100, 200, 400, 3_200, 5_000, 5_000],
  );
});

test("the wait is the given part of the ceiling, in whole milliseconds", () => {
  assert.equal(backoffMs(backoff, 1, 0), 0);
  assert.equal(backoffMs(backoff, 2, 0.5), 100);
  assert.equal(backoffMs(backoff, 1, 0.333), 33);
  for (let n = 0; n < 100; n++) assert.ok(backoffMs(backoff, 3) <= 400);
});
