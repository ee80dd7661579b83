import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Coverage, Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { noPaint } from "../terminal/paint.ts";
import { renderReport } from "./report-lines.ts";

function reportOf(findingCount: number): Report {
  return Report.fromPartial({
    coverage: Coverage.COVERAGE_FULL,
    packages: [{ id: "p", name: "openssl", version: "1.0-1" }],
    vulnerabilities: [{ key: "v", name: "CVE-2014-0160" }],
    findings: Array.from({ length: findingCount }, (_, index) => ({
      packageId: "p",
      vulnerabilityKey: "v",
      severity: Severity.SEVERITY_HIGH,
      fixedVersion: index === 0 ? "1.0-2" : "",
    })),
    summary: {
      total: findingCount,
      packageCount: 1,
      fixable: 1,
      bySeverity: [
        { severity: Severity.SEVERITY_LOW, count: 1 },
        { severity: Severity.SEVERITY_HIGH, count: findingCount - 1 },
      ],
    },
  });
}

describe("a report for people", () => {
  test("shows each finding and the totals, the worst first", () => {
    assert.deepEqual(renderReport(reportOf(2), noPaint), [
      "SEVERITY  CVE            PACKAGE  INSTALLED  FIXED IN",
      "high      CVE-2014-0160  openssl  1.0-1      1.0-2",
      "high      CVE-2014-0160  openssl  1.0-1      not fixed",
      "2 vulnerabilities in 1 package: 1 high, 1 low; 1 can be fixed by an update",
    ]);
  });

  test("shows the worst 12 alone and says how many there are more", () => {
    const lines = renderReport(reportOf(90), noPaint);
    assert.equal(lines.length, 1 + 12 + 2);
    assert.equal(lines.at(-2), "… and 78 more");
  });

  test("tells clean, unsupported and not an image apart", () => {
    const summary = { packageCount: 5 };
    const coverages: [Coverage, RegExp][] = [
      [Coverage.COVERAGE_FULL, /^clean: nothing found in 5 packages$/],
      [Coverage.COVERAGE_UNSUPPORTED, /^UNSUPPORTED: .* does not mean clean$/],
      [Coverage.COVERAGE_NOT_AN_IMAGE, /^not an image/],
    ];
    for (const [coverage, expected] of coverages) {
      const [line = ""] = renderReport(Report.fromPartial({ coverage, summary }), noPaint);
      assert.match(line, expected);
    }
  });

  test("says when layers were left out", () => {
    const lines = renderReport(Report.fromPartial({ coverage: Coverage.COVERAGE_PARTIAL }), noPaint);
    assert.deepEqual(lines, ["only some of its layers could be looked at", "clean: nothing found in 0 packages"]);
  });
});
