import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { boundedEntry, boundedFinding } from "./bounded-entry.ts";
import type { IndexedFinding, IndexedReport } from "./report-entry.ts";

const long = "🚢".repeat(100_000);
const counts = { total: 0, unique: 0, fixable: 0, bySeverity: {}, packages: 0, affectedPackages: 0 };

function entryWith(text: string, tags: string[]): IndexedReport {
  const texts = { platform: text, repository: text, scanner: text, scannerState: text, headline: text };
  return {
    ...{ reportId: "r", jobId: "r", digest: "d", indexDigest: "", ...texts, tags, coverage: "FULL" },
    ...{ coverageNotes: Array(1_000).fill(text), scannedAt: 0, counts, knownExploited: 0, maxEpss: 0 },
    ...{ findings: [], layerNames: [] },
  };
}

describe("a report's entry", () => {
  test("fits in lists whatever its worker put into the report", () => {
    const entry = boundedEntry(entryWith(long, [...Array(1_000).fill("x"), long]));
    assert.ok(Buffer.byteLength(JSON.stringify(entry)) < 32 * 1024);
    assert.equal(entry.tags.length, 100);
    assert.ok(entry.headline.isWellFormed());
  });

  test("is as it was when nothing in it is too long", () => {
    const entry = { ...entryWith("linux/amd64", ["1.0"]), coverageNotes: ["os_unknown"] };
    assert.deepEqual(boundedEntry(entry), entry);
  });

  test("leaves out a tag that can be none rather than cut it to another", () => {
    assert.deepEqual(boundedEntry(entryWith("", ["x".repeat(129), "y".repeat(128)])).tags, ["y".repeat(128)]);
  });

  test("has findings with names of a bounded length", () => {
    const finding: IndexedFinding = {
      vulnerability: long,
      severity: "LOW",
      package: long,
      version: long,
      fixedVersion: long,
    };
    const { severity, ...texts } = boundedFinding(finding);
    assert.equal(severity, "LOW");
    for (const text of Object.values(texts)) assert.ok(text.length <= 255 && text.isWellFormed());
  });
});
