import assert from "node:assert/strict";
import { test } from "node:test";
import { retryAfterMs } from "./retry-after.ts";

const now = Date.UTC(2026, 0, 1, 12, 0, 0);

test("Retry-After may be seconds or a date", () => {
  assert.equal(retryAfterMs("7", now), 7_000);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 12:00:30 GMT", now), 30_000);
});

test("Retry-After is never longer than an hour nor in the past", () => {
  assert.equal(retryAfterMs("86400", now), 3_600_000);
  assert.equal(retryAfterMs("Thu, 01 Jan 2026 11:00:00 GMT", now), 0);
});

test("a Retry-After that can't be read counts as none", () => {
  assert.equal(retryAfterMs(undefined, now), undefined);
  assert.equal(retryAfterMs("", now), undefined);
  assert.equal(retryAfterMs("soon", now), undefined);
});
