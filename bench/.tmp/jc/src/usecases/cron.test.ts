import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readCron } from "./cron.ts";

/** The next times after the given one, as text. */
function times(spec: string, zone: string, after: string, count = 3): string[] {
  const next = readCron(spec, zone);
  const found: string[] = [];
  for (let at = next(Date.parse(after)); at > 0 && found.length < count; at = next(at)) {
    found.push(new Date(at).toISOString().slice(0, 19));
  }
  return found;
}

describe("a cron line", () => {
  test("of five fields begins with the minute, of six with the second", () => {
    assert.deepEqual(times("5 * * * *", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-01T00:05:00"]);
    assert.deepEqual(times("5 * * * * *", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-01T00:00:05"]);
    assert.deepEqual(times("@hourly", "UTC", "2026-01-01T00:00:00Z", 1), ["2026-01-01T01:00:00"]);
  });

  test("takes a time that spring leaves out when the clock has moved on", () => {
    const found = times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z");
    assert.deepEqual(found, ["2026-03-29T01:00:00", "2026-03-30T00:30:00", "2026-03-31T00:30:00"]);
  });

  test("takes a time that autumn repeats once, the first time", () => {
    const found = times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z");
    assert.deepEqual(found, ["2026-10-25T00:30:00", "2026-10-26T01:30:00", "2026-10-27T01:30:00"]);
  });

  test("that never comes has no times", () => {
    assert.deepEqual(times("0 0 31 2 *", "UTC", "2026-01-01T00:00:00Z"), []);
  });

  test("with seven fields, with a wrong field or with an unknown zone is refused", () => {
    for (const [spec, zone] of [
      ["1 2 3 4 5 6 7", "UTC"],
      ["61 * * * *", "UTC"],
      ["x", "UTC"],
      ["* * * * *", "Mars/Base"],
    ] as const) {
      assert.throws(() => times(spec, zone, "2026-01-01T00:00:00Z"), `${spec} ${zone}`);
    }
  });
});
