import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
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

  test("with day-of-month and day-of-week has the days that fit either, with a + those that fit both", () => {
    const days = (spec: string, count: number) =>
      times(spec, "UTC", "2026-01-31T00:00:00Z", count).map((time) => time.slice(0, 10));
    assert.deepEqual(days("0 0 3 * 1", 3), ["2026-02-02", "2026-02-03", "2026-02-09"]);
    assert.deepEqual(days("0 0 3 * *", 2), ["2026-02-03", "2026-03-03"]);
    assert.deepEqual(days("0 0 * * 1", 2), ["2026-02-02", "2026-02-09"]);
    assert.deepEqual(days("0 0 3 * +1", 1), ["2026-08-03"]);
  });

  test("that never comes has no times", () => {
    assert.deepEqual(times("0 0 31 2 *", "UTC", "2026-01-01T00:00:00Z"), []);
  });

  test("with seven fields, with a wrong field or with an unknown zone is refused", () => {
    for (const [spec, zone] of [
      ["1 2 3 4 5 6 7", "UTC"],
      ["61 * * * *", "UTC"],
      ["x", "UTC"],
      ["2027-01-01T00:00:00", "UTC"],
      ["* * * * *", "Mars/Base"],
    ] as const) {
      assert.throws(() => times(spec, zone, "2026-01-01T00:00:00Z"), `${spec} ${zone}`);
    }
  });
});

/** What a line has around a change of the clock: its times as UTC, from the given one on. */
const changes: Array<[zone: string, change: string, spec: string, after: string, expected: string[]]> = [
  // Berlin, 29 March: 2:00 to 3:00 is left out, at 1:00 UTC
  ["Europe/Berlin", "forward", "30 2 * * *", "03-29T00:00", ["03-29T01:00", "03-30T00:30"]],
  ["Europe/Berlin", "forward", "0,30 2 * * *", "03-29T00:00", ["03-29T01:00", "03-30T00:00"]],
  ["Europe/Berlin", "forward", "15,45 2 * * *", "03-29T00:00", ["03-29T01:00", "03-30T00:15"]],
  ["Europe/Berlin", "forward", "*/15 2 * * *", "03-29T00:00", ["03-29T01:00", "03-30T00:00"]],
  ["Europe/Berlin", "forward", "*/20 30 2 * * *", "03-29T00:00", ["03-29T01:00", "03-30T00:30", "03-30T00:30:20"]],
  ["Europe/Berlin", "forward", "30 2,3 * * *", "03-29T00:00", ["03-29T01:00", "03-29T01:30", "03-30T00:30"]],
  ["Europe/Berlin", "forward", "0 2,3 * * *", "03-29T00:00", ["03-29T01:00", "03-30T00:00"]],
  ["Europe/Berlin", "forward", "0 */2 * * *", "03-28T23:00", ["03-29T01:00", "03-29T02:00"]],
  ["Europe/Berlin", "forward", "30 * * * *", "03-29T00:00", ["03-29T00:30", "03-29T01:30"]],
  ["Europe/Berlin", "forward", "30 0-23 * * *", "03-29T00:00", ["03-29T00:30", "03-29T01:30"]],
  ["Europe/Berlin", "forward", "@hourly", "03-28T23:30", ["03-29T00:00", "03-29T01:00", "03-29T02:00"]],
  ["Europe/Berlin", "forward", "*/20 * * * *", "03-29T00:30", ["03-29T00:40", "03-29T01:00", "03-29T01:20"]],
  ["Europe/Berlin", "forward", "*/30 59 * * * *", "03-29T00:59", ["03-29T00:59:30", "03-29T01:59"]],
  // 25 October: 2:00 to 3:00 comes twice, from 0:00 UTC
  ["Europe/Berlin", "back", "30 2 * * *", "10-24T22:00", ["10-25T00:30", "10-26T01:30"]],
  ["Europe/Berlin", "back", "0,30 2 * * *", "10-24T22:00", ["10-25T00:00", "10-25T00:30", "10-26T01:00"]],
  ["Europe/Berlin", "back", "*/30 2 * * *", "10-25T00:00", ["10-25T00:30", "10-26T01:00"]],
  ["Europe/Berlin", "back", "0 2,3 * * *", "10-24T22:00", ["10-25T00:00", "10-25T02:00"]],
  ["Europe/Berlin", "back", "0 2-4 * * *", "10-24T22:00", ["10-25T00:00", "10-25T02:00", "10-25T03:00"]],
  ["Europe/Berlin", "back", "30 30 2 * * *", "10-24T22:00", ["10-25T00:30:30", "10-26T01:30:30"]],
  ["Europe/Berlin", "back", "30 * * * *", "10-25T00:00", ["10-25T00:30", "10-25T01:30", "10-25T02:30"]],
  ["Europe/Berlin", "back", "@hourly", "10-24T23:30", ["10-25T00:00", "10-25T01:00", "10-25T02:00"]],
  ["Europe/Berlin", "back", "*/20 * * * *", "10-25T00:30", ["10-25T00:40", "10-25T01:00", "10-25T01:20"]],
  ["Europe/Berlin", "back", "*/30 59 * * * *", "10-25T00:59", ["10-25T00:59:30", "10-25T01:59"]],
  // New York: 2:00 to 3:00 left out on 8 March, at 7:00 UTC; 1:00 to 2:00 twice on 1 November, from 5:00 UTC
  ["America/New_York", "forward", "15,45 2 * * *", "03-08T05:00", ["03-08T07:00", "03-09T06:15"]],
  ["America/New_York", "forward", "*/30 * * * *", "03-08T06:00", ["03-08T06:30", "03-08T07:00", "03-08T07:30"]],
  ["America/New_York", "back", "15,45 1 * * *", "11-01T04:00", ["11-01T05:15", "11-01T05:45", "11-02T06:15"]],
  ["America/New_York", "back", "*/30 * * * *", "11-01T05:00", ["11-01T05:30", "11-01T06:00", "11-01T06:30"]],
  // Lord Howe: 1:30 to 2:00 twice on 5 April, from 14:30 UTC; 2:00 to 2:30 left out on 4 October, at 15:30 UTC
  ["Australia/Lord_Howe", "back", "40 1 * * *", "04-04T14:00", ["04-04T14:40", "04-05T15:10"]],
  ["Australia/Lord_Howe", "back", "*/20 1 * * *", "04-04T14:10", ["04-04T14:20", "04-04T14:40", "04-05T14:30"]],
  ["Australia/Lord_Howe", "back", "40 * * * *", "04-04T14:00", ["04-04T14:40", "04-04T15:10", "04-04T16:10"]],
  ["Australia/Lord_Howe", "forward", "0,40 2 * * *", "10-03T15:00", ["10-03T15:30", "10-03T15:40"]],
  ["Australia/Lord_Howe", "forward", "*/20 * * * *", "10-03T15:00", ["10-03T15:10", "10-03T15:40", "10-03T16:00"]],
  // Santiago: 23:00 to 24:00 twice on 4 April, from 4 April 2:00 UTC; 0:00 to 1:00 left out on 6 September, at 4:00 UTC
  ["America/Santiago", "back", "30 23 * * *", "04-05T02:00", ["04-05T02:30", "04-06T03:30"]],
  ["America/Santiago", "back", "@daily", "04-05T02:00", ["04-05T04:00", "04-06T04:00"]],
  ["America/Santiago", "back", "30 * 4 4 *", "04-05T02:00", ["04-05T02:30", "04-05T03:30"]],
  ["America/Santiago", "forward", "@daily", "09-05T05:00", ["09-06T04:00", "09-07T03:00"]],
  ["America/Santiago", "forward", "30 0 * * 0", "09-05T05:00", ["09-06T04:00", "09-13T03:30"]],
  ["America/Santiago", "forward", "0 0 6 9 *", "01-01T05:00", ["09-06T04:00"]],
  // Beirut: 0:00 to 1:00 left out on 29 March, at 28 March 22:00 UTC; 23:00 to 24:00 twice on 24 October, from 20:00 UTC
  ["Asia/Beirut", "forward", "*/30 0 * * *", "03-28T20:00", ["03-28T22:00", "03-29T21:00"]],
  ["Asia/Beirut", "back", "0,30 23 * * *", "10-24T19:30", ["10-24T20:00", "10-24T20:30", "10-25T21:00"]],
];

describe("a cron line where the clock is put", () => {
  for (const [zone, change, spec, after, expected] of changes) {
    test(`${change} in ${zone}: ${spec}`, () => {
      const full = expected.map((at) => `2026-${at}${at.length === 11 ? ":00" : ""}`);
      assert.deepEqual(times(spec, zone, `2026-${after}:00Z`, expected.length), full);
    });
  }
});

describe("any cron line in any zone", () => {
  const minuteMs = 60_000;
  const zones = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/Havana",
    "UTC",
  ];
  /** Around which changes of all these zones come, in 2026. */
  const days = ["03-08", "03-29", "04-05", "09-06", "10-04", "10-25", "11-01"];
  const field = (most: number) =>
    fc.oneof(
      { weight: 2, arbitrary: fc.uniqueArray(fc.nat(most), { minLength: 1, maxLength: 4 }).map((all) => all.join()) },
      fc.constantFrom("*", "*/2", "*/15", "1-3", "0,30").filter((text) => most > 30 || !text.includes("30")),
    );
  const line = fc.record({
    spec: fc.tuple(field(59), field(23)).map(([minute, hour]) => `${minute} ${hour} * * *`),
    zone: fc.constantFrom(...zones),
    /** In the two days from the one before a change. */
    after: fc
      .tuple(fc.constantFrom(...days), fc.nat(2 * 24 * 3_600))
      .map(([day, second]) => Date.parse(`2026-${day}T00:00:00Z`) + (second - 24 * 3_600) * 1_000),
  });
  const check = (holds: (one: { spec: string; zone: string; after: number }) => void) =>
    fc.assert(fc.property(line, holds), { numRuns: 200 });

  test("goes only forward, and its next time is the same from wherever before it one looks", () => {
    check(({ spec, zone, after }) => {
      const next = readCron(spec, zone);
      let from = after;
      for (let count = 0; count < 10; count++) {
        const at = next(from);
        assert.ok(at > from, `${at} after ${from}`);
        for (const part of [0.1, 0.5, 0.9]) assert.equal(next(Math.floor(from + (at - from) * part)), at);
        assert.equal(next(at - 1), at);
        from = at;
      }
    });
  });

  test("has the times that are found by looking at the clock each minute", () => {
    check(({ spec, zone, after }) => {
      const next = readCron(spec, zone);
      const end = after + 30 * 3_600_000;
      const found: number[] = [];
      for (let at = next(after); at <= end; at = next(at)) found.push(at);
      assert.deepEqual(found, timesByLooking(spec, zone, { after, end }));
    });
  });

  /** Reads the zone's clock each minute, as cron does, from long enough before to know what was shown before. */
  function timesByLooking(spec: string, zone: string, { after, end }: { after: number; end: number }): number[] {
    const [minutes = [], hours = []] = spec.split(" ").map((text, at) => valuesOf(text, at === 0 ? 60 : 24));
    const isNamed = (minuteOfDay: number) =>
      minutes.includes(minuteOfDay % 60) && hours.includes(Math.floor(minuteOfDay / 60) % 24);
    const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
    const shown = (at: number) => Date.parse(`${format.format(at).replace(" ", "T")}Z`) / minuteMs;
    const found: number[] = [];
    let latest = shown(after - 24 * 3_600_000) - 1;
    for (let at = Math.floor(after / minuteMs) * minuteMs - 23 * 3_600_000; at <= end; at += minuteMs) {
      const now = shown(at);
      const isDue =
        hours.length === 24
          ? isNamed(now % 1_440)
          : Array.from({ length: Math.max(0, now - latest) }, (_, back) => (now - back) % 1_440).some(isNamed);
      latest = Math.max(latest, now);
      if (isDue && at > after) found.push(at);
    }
    return found;
  }

  function valuesOf(text: string, count: number): number[] {
    const all = Array.from({ length: count }, (_, value) => value);
    const [, step] = /^\*(?:\/(\d+))?$/.exec(text) ?? [undefined, "0"];
    if (step !== "0") return all.filter((value) => value % Number(step ?? 1) === 0);
    if (text.includes("-")) return all.slice(Number(text.split("-")[0]), Number(text.split("-")[1]) + 1);
    return text.split(",").map(Number);
  }
});
