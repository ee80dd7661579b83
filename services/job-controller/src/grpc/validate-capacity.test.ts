import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { ClosedType } from "@drydock/shared/gen/drydock/worker/v1/worker_service.ts";
import { validateCapacity } from "./validate-capacity.ts";

const now = 1_000_000;
const scan = ClosedType.fromPartial({ jobType: "IMAGE_SCAN", reason: "SCANNER_UNREACHABLE", message: "no answer" });

function fieldsOf(...closed: ClosedType[]): string[] {
  try {
    validateCapacity({ slots: 1, closed }, now);
    return [];
  } catch (error) {
    if (!(error instanceof ReasonedError)) throw error;
    return (error.facts.violations ?? []).map(({ field }) => field);
  }
}

describe("a worker's capacity", () => {
  test("names types by their pattern, with a reason in upper case, 64 at most", () => {
    assert.deepEqual(fieldsOf(scan), []);
    assert.deepEqual(fieldsOf({ ...scan, jobType: "image-scan" }), ["capacity.closed.job_type"]);
    for (const reason of ["", "no answer", "x".repeat(65)]) {
      assert.deepEqual(fieldsOf({ ...scan, reason }), ["capacity.closed.reason"], reason);
    }
    const many = (count: number) => Array.from({ length: count }, (_, at) => ({ ...scan, jobType: `TYPE_${at}` }));
    assert.deepEqual(fieldsOf(...many(64)), []);
    assert.deepEqual(fieldsOf(...many(65)), ["capacity.closed"]);
  });

  test("cuts a message at 512 bytes, behind a whole character", () => {
    for (const message of ["x".repeat(513), "ü".repeat(257), `x${"ü".repeat(300)}`, "🚢".repeat(129)]) {
      const [closed] = validateCapacity({ slots: 1, closed: [{ ...scan, message }] }, now).closed;
      const cut = closed?.message ?? "";
      const bytes = Buffer.byteLength(cut);
      assert.ok(bytes <= 512 && bytes > 505 && message.startsWith(cut.slice(0, -1)) && cut.endsWith("…"), cut);
    }
    const [whole] = validateCapacity({ slots: 1, closed: [{ ...scan, message: "x".repeat(512) }] }, now).closed;
    assert.equal(whole?.message, "x".repeat(512));
  });

  test("has the patience of each closed type, if it names one", () => {
    const patienceOf = (patience: { seconds: number; nanos: number } | undefined) =>
      validateCapacity({ slots: 1, closed: [{ ...scan, patience }] }, now).closed[0]?.patienceMs;
    assert.deepEqual([patienceOf({ seconds: 2, nanos: 5_000_000 }), patienceOf({ seconds: -1, nanos: 0 })], [2_005, 0]);
    assert.equal(patienceOf(undefined), undefined);
  });

  test("keeps no control characters of a message", () => {
    const [closed] = validateCapacity({ slots: 1, closed: [{ ...scan, message: "no\u001b[2J\nanswer" }] }, now).closed;
    assert.match(closed?.message ?? "", /^[\x20-\x7e]*answer$/);
  });

  test("takes the time at which it came for one that is missing, to come or none", () => {
    const sinceOf = (since: Date | undefined) =>
      validateCapacity({ slots: 1, closed: [{ ...scan, since }] }, now).closed[0]?.since;
    assert.deepEqual([sinceOf(new Date(5)), sinceOf(undefined), sinceOf(new Date(now + 1))], [5, now, now]);
    assert.deepEqual([sinceOf(new Date(-1)), sinceOf(new Date(Number.NaN))], [now, now]);
  });
});
