import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readCron } from "./cron.ts";
import { cronFault } from "./cron-fault.ts";

describe("what is wrong with a cron line", () => {
  const count = /^must have 5 fields \(minute hour day-of-month month day-of-week\) or 6 \(second first\).*; it has /;
  for (const [spec, rule] of [
    ["1", /it has 1 field$/],
    ["1 2 3 4", /it has 4 fields$/],
    ["0 0 1 1 1 2030 1", /it has 7 fields$/],
    ["TZ=UTC 0 0 1 * * *", /it has 7 fields$/],
    ["2027-01-01T00:00:00", /it has 1 field$/],
  ] as const) {
    test(`is the number of fields of "${spec}"`, () => {
      assert.match(cronFault(spec) ?? "", count);
      assert.match(cronFault(spec) ?? "", rule);
    });
  }

  for (const [spec, field, given] of [
    ["60 * * * *", "minute field * or 0 to 59", "60"],
    ["1-60 * * * *", "minute", "1-60"],
    ["5-1 * * * *", "minute", "5-1"],
    ["*/0 * * * *", "minute", "*/0"],
    ["5/15 * * * *", "minute", "5/15"],
    ["1,,2 * * * *", "minute", "1,,2"],
    ["H * * * *", "minute", "H"],
    ["70 * * * * *", "second", "70"],
    ["* 24 * * *", "hour field * or 0 to 23", "24"],
    ["* * 0 * *", "day-of-month field * or 1 to 31", "0"],
    ["* * * 13 *", "month field * or 1 to 12", "13"],
    ["* * * JANUARY *", "month", "JANUARY"],
    ["* * * * 8", "day-of-week", "8"],
    ["* * * * MON-", "day-of-week", "MON-"],
  ] as const) {
    test(`is the field ${given} of "${spec}"`, () => {
      const fault = cronFault(spec) ?? "";
      assert.ok(fault.startsWith(`must have in its ${field}`), fault);
      assert.ok(fault.endsWith(`not "${given}"`), fault);
    });
  }

  for (const [spec, meant] of [
    ["@dayly", "@daily"],
    ["@every 5m", "@yearly"],
    ["@HOURLYY", "@hourly"],
  ] as const) {
    test(`is the word ${spec}`, () => {
      assert.match(cronFault(spec) ?? "", new RegExp(`^must be one of @yearly, .* do you mean ${meant}\\?$`));
    });
  }

  test("is nothing exactly when the line can be read", () => {
    const part = fc.constantFrom(
      "*",
      "?",
      "0",
      "5",
      "59",
      "60",
      "1-5",
      "9-1",
      "*/5",
      "*/0",
      "L",
      "MON",
      "JAN",
      "15W",
      "1,2",
      "",
    );
    const line = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(" "));
    fc.assert(
      fc.property(fc.oneof(line, fc.constantFrom("@daily", "@DAILY", " @hourly ", "@reboot", "@")), (spec) => {
        let isRead = true;
        try {
          readCron(spec, "UTC");
        } catch {
          isRead = false;
        }
        assert.equal(cronFault(spec) === undefined, isRead, spec);
      }),
    );
  });
});
