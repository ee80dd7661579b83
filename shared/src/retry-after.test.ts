import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readRetryAfter } from "./retry-after.ts";

const now = Date.parse("2026-01-01T00:00:00Z");

describe("Retry-After", () => {
  test("is seconds, or a date", () => {
    assert.equal(readRetryAfter("0", now), 0);
    assert.equal(readRetryAfter(" 120 ", now), 120_000);
    assert.equal(readRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", now), 60_000);
    assert.equal(readRetryAfter("Thursday, 01-Jan-26 00:01:00 GMT", now), 60_000);
    assert.equal(readRetryAfter("Thu Jan  1 00:01:00 2026", now), 60_000);
  });

  test("is never longer than an hour nor in the past", () => {
    for (const value of ["3601", "86400", "12345678901", "9".repeat(400), "Fri, 02 Jan 2026 00:00:00 GMT"])
      assert.equal(readRetryAfter(value, now), 3_600_000, value);
    assert.equal(readRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  });

  test("says nothing when absent or in any other form", () => {
    for (const value of [
      undefined,
      "",
      "soon",
      "-1",
      "1.5",
      "1e9",
      "2026-01-01",
      "x GMT",
      "1 GMT",
      "Thu, 99 Jan 2026 00:00:00 GMT",
    ])
      assert.equal(readRetryAfter(value, now), undefined, value);
  });
});
