import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import * as proto from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { Report } from "../domain/report.ts";
import { encodeReport, fromMessage, toMessage } from "./report-codec.ts";

const report: Report = {
  schemaVersion: "1",
  reportId: "job-1",
  artifact: {
    registryUrl: "http://registry",
    repository: "library/web",
    digest: "sha256:a",
    tags: ["1.0"],
    mediaType: "m",
    platform: { os: "linux", architecture: "amd64", variant: "" },
    indexDigest: "",
    sizeBytes: 5_000_000_000,
    configDigest: "sha256:c",
  },
  scanner: { kind: "CLAIR_V1", name: "Clair", vendor: "Quay", version: "", engineVersion: 3 },
  scanStartedAt: new Date(1_700_000_000_123),
  generatedAt: new Date(1_700_000_001_456),
  coverage: "PARTIAL",
  headline: "1 vulnerability",
  coverageNotes: ["foreign_layer_skipped"],
  layers: [{ index: 0, digest: "sha256:l", mediaType: "t", sizeBytes: 7, clairName: "n", skipped: true }],
  distributions: [
    {
      did: "debian",
      versionId: "12",
      namespace: "debian:12",
      versionFormat: "dpkg",
      vulnerabilityData: "ABSENT",
    },
  ],
  packages: [
    { id: "p", name: "p", version: "1", versionFormat: "dpkg", namespace: "d", layerDigest: "l", purl: "pkg:x" },
  ],
  vulnerabilities: [
    {
      key: "k",
      name: "CVE-1",
      namespace: "d",
      description: "bad",
      links: ["https://example.com"],
      severity: "CRITICAL",
      sourceSeverity: "Defcon1",
      cvss: [{ version: "3.1", score: 9.8, vector: "v", source: "nvd" }],
      extensions: { Vendor: { Note: ["x", 1, null] } },
    },
  ],
  findings: [
    {
      packageId: "p",
      vulnerabilityKey: "k",
      severity: "CRITICAL",
      fixedVersion: "2",
      status: "FIXED_AVAILABLE",
      layerDigest: "l",
    },
  ],
  summary: {
    total: 1,
    unique: 1,
    fixable: 1,
    bySeverity: [{ severity: "CRITICAL", count: 1 }],
    packageCount: 1,
    affectedPackageCount: 1,
    maxSeverity: "CRITICAL",
  },
};

describe("an encoded report", () => {
  test("decodes to all that went in", async () => {
    const { gzip, sha256 } = await encodeReport(report);
    const decoded = proto.Report.decode(gunzipSync(gzip));
    assert.deepEqual(decoded, toMessage(report));
    assert.equal(sha256, createHash("sha256").update(gzip).digest("hex"));
  });

  test("has the contract's words", () => {
    const json = proto.Report.toJSON(toMessage(report)) as Record<string, Record<string, unknown>[]>;
    assert.equal(json.coverage, "COVERAGE_PARTIAL");
    assert.equal(json.distributions?.[0]?.vulnerabilityData, "VULNERABILITY_DATA_ABSENT");
    assert.equal(json.findings?.[0]?.severity, "SEVERITY_CRITICAL");
    assert.equal(json.findings?.[0]?.status, "FINDING_STATUS_FIXED_AVAILABLE");
    assert.deepEqual(json.vulnerabilities?.[0]?.extensions, { Vendor: { Note: ["x", 1, null] } });
  });

  test("of nothing found has no worst severity and no scanner if none was asked", async () => {
    const summary = { ...report.summary, bySeverity: [], maxSeverity: undefined };
    const empty: Report = { ...report, scanner: undefined, vulnerabilities: [], findings: [], summary };
    const encoded = await encodeReport(empty);
    assert.equal(encoded.summary.maxSeverity, proto.Severity.SEVERITY_UNSPECIFIED);
    assert.equal(proto.Report.decode(gunzipSync(encoded.gzip)).scanner, undefined);
  });

  test("has the same bytes for equal reports", async () => {
    const [one, two] = await Promise.all([encodeReport(report), encodeReport(structuredClone(report))]);
    assert.equal(one.sha256, two.sha256);
  });

  test("is the same report when it is read back", () => {
    const scanner = report.scanner && { ...report.scanner, state: "engine 3, data of Monday" };
    const reread = (original: Report) =>
      fromMessage(proto.Report.decode(proto.Report.encode(toMessage(original)).finish()));
    assert.deepEqual(reread(report), report);
    assert.deepEqual(reread({ ...report, scanner }), { ...report, scanner });
    const summary = { ...report.summary, bySeverity: [], maxSeverity: undefined };
    const { artifact } = report;
    const bare: Report = { ...report, scanner: undefined, artifact: { ...artifact, platform: undefined }, summary };
    assert.deepEqual(reread(bare), bare);
    const rest = {
      fixableOnly: true,
      graceDays: 7,
      failOnKnownExploited: true,
      failOnEpss: 0.5,
      requireFullCoverage: true,
    };
    const strict: Report = { ...report, policy: { failOn: "HIGH", unknownAs: "LOW", ...rest } };
    assert.deepEqual(reread(strict), strict);
    const leftOut = [{ severity: "LOW", count: 3 } as const];
    const limited: Report = { ...report, limits: { leastSeverity: "HIGH", findings: 7 }, leftOut };
    assert.deepEqual(reread(limited), limited);
  });

  test("of a later version is refused rather than read as something else", () => {
    const later = { ...toMessage(report), coverage: 99 as proto.Coverage };
    assert.throws(() => fromMessage(later), { name: "JobFailure", reason: "INTERNAL" });
    assert.throws(() => fromMessage({ ...toMessage(report), schemaVersion: "2" }), { reason: "INTERNAL" });
  });
});
