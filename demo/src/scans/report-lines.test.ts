import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Coverage, Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { noPaint, type Paint } from "../terminal/paint.ts";
import { renderReport } from "./report-lines.ts";

function reportOf(findingCount: number): Report {
  return Report.fromPartial({
    coverage: Coverage.COVERAGE_FULL,
    headline: `1 vulnerability in 1 of 1 package, ${findingCount} findings: 1 high, 1 low (full coverage)`,
    packages: [{ id: "p", name: "openssl", version: "1.0-1" }],
    vulnerabilities: [{ key: "v", name: "CVE-2014-0160" }],
    findings: Array.from({ length: findingCount }, (_, index) => ({
      packageId: "p",
      vulnerabilityKey: "v",
      severity: Severity.SEVERITY_HIGH,
      fixedVersion: index === 0 ? "1.0-2" : "",
    })),
    summary: { fixable: 1, total: findingCount },
  });
}

describe("a report for people", () => {
  test("shows each finding in the report's order, then its words", () => {
    assert.deepEqual(renderReport(reportOf(2), noPaint), [
      "SEVERITY  CVE            PACKAGE  INSTALLED  FIXED IN",
      "high      CVE-2014-0160  openssl  1.0-1      1.0-2",
      "high      CVE-2014-0160  openssl  1.0-1      not fixed",
      "1 vulnerability in 1 of 1 package, 2 findings: 1 high, 1 low (full coverage); 1 of 2 findings can be fixed by an update",
    ]);
  });

  test("shows the worst 12 alone and says how many there are more", () => {
    const lines = renderReport(reportOf(90), noPaint);
    assert.equal(lines.length, 1 + 12 + 2);
    assert.equal(lines.at(-2), "… and 78 more");
  });

  test("has the report's own words alone when nothing was found, green for FULL only", () => {
    const paint: Paint = (look, text) => `<${look}>${text}`;
    const headline = "the report's words";
    for (const [coverage, look] of [
      [Coverage.COVERAGE_FULL, "green"],
      [Coverage.COVERAGE_PARTIAL, "yellow"],
      [Coverage.COVERAGE_UNSUPPORTED, "yellow"],
      [Coverage.COVERAGE_NOT_AN_IMAGE, "yellow"],
    ] as const) {
      assert.deepEqual(renderReport(Report.fromPartial({ coverage, headline }), paint), [`<${look}>${headline}`]);
    }
  });
});
