import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ImageManifest } from "./image-manifest.ts";
import type { Finding, Package, Vulnerability } from "./report.ts";
import { buildReport, type ReportSubject } from "./report-builder.ts";
import type { ScanResult } from "./scan-result.ts";
import type { Severity } from "./severity.ts";

const layer = { digest: "sha256:1", mediaType: "tar", sizeBytes: 100, format: "tar+gzip" } as const;
const manifest: ImageManifest = {
  kind: "image",
  digest: "sha256:m",
  mediaType: "image",
  configDigest: "sha256:c",
  layers: [layer, { ...layer, digest: "sha256:2", sizeBytes: 20 }],
};
const subject: ReportSubject = {
  jobId: "job",
  registryUrl: "http://registry",
  repository: "library/web",
  manifest,
  tags: ["1.0"],
  platform: undefined,
  indexDigest: "",
  scanStartedAt: new Date(0),
  generatedAt: new Date(1),
};
const debian = {
  did: "debian",
  versionId: "12",
  namespace: "debian:12",
  versionFormat: "dpkg",
  vulnerabilityData: "PRESENT",
} as const;

function pack(name: string, version = "1"): Package {
  const id = `${name}@${version}`;
  return { id, name, version, versionFormat: "dpkg", namespace: "debian:12", layerDigest: "sha256:1", purl: "" };
}

function vulnerability(name: string, severity: Severity): Vulnerability {
  const base = { namespace: "debian:12", description: "", links: [], sourceSeverity: "", cvss: [], extensions: {} };
  return { key: `debian:12/${name}`, name, severity, ...base };
}

function finding(packageId: string, { key, severity }: Vulnerability, fixedVersion = ""): Finding {
  const status = fixedVersion === "" ? "AFFECTED" : "FIXED_AVAILABLE";
  return { packageId, vulnerabilityKey: key, severity, fixedVersion, status, layerDigest: "" };
}

const low = vulnerability("CVE-1", "LOW");
const critical = vulnerability("CVE-2", "CRITICAL");
const otherLow = vulnerability("CVE-0", "LOW");
const result: ScanResult = {
  scanner: { kind: "CLAIR_V1", name: "Clair", vendor: "", version: "", engineVersion: 3 },
  distributions: [debian],
  packages: [pack("zlib"), pack("curl", "2"), pack("curl", "10"), pack("bash")],
  vulnerabilities: [low, critical, otherLow],
  findings: [
    finding("zlib@1", low),
    finding("bash@1", low, "3"),
    finding("zlib@1", otherLow),
    finding("zlib@1", critical),
  ],
  coverageNotes: [],
  layerNames: ["n1", "n2"],
  skippedLayers: [],
};

describe("a report", () => {
  test("lists packages by name and version, vulnerabilities by name, findings with the worst first", () => {
    const report = buildReport(subject, result);
    assert.deepEqual(
      report.packages.map(({ id }) => id),
      ["bash@1", "curl@10", "curl@2", "zlib@1"],
    );
    assert.deepEqual(
      report.vulnerabilities.map(({ name }) => name),
      ["CVE-0", "CVE-1", "CVE-2"],
    );
    assert.deepEqual(
      report.findings.map(({ packageId, vulnerabilityKey }) => [packageId, vulnerabilityKey]),
      [
        ["zlib@1", "debian:12/CVE-2"],
        ["zlib@1", "debian:12/CVE-0"],
        ["bash@1", "debian:12/CVE-1"],
        ["zlib@1", "debian:12/CVE-1"],
      ],
    );
  });

  test("is the same whatever the order in which the scanner tells", () => {
    const expected = buildReport(subject, result);
    const shuffled = <T>(items: readonly T[]) => fc.shuffledSubarray([...items], { minLength: items.length });
    fc.assert(
      fc.property(
        shuffled(result.packages),
        shuffled(result.vulnerabilities),
        shuffled(result.findings),
        (packages, vulnerabilities, findings) => {
          assert.deepEqual(buildReport(subject, { ...result, packages, vulnerabilities, findings }), expected);
        },
      ),
    );
  });

  test("says nothing twice", () => {
    const twice = {
      ...result,
      packages: [...result.packages, pack("zlib")],
      findings: [...result.findings, finding("zlib@1", low)],
    };
    assert.deepEqual(buildReport(subject, twice), buildReport(subject, result));
  });

  test("counts pairs, distinct vulnerabilities, fixes and severities", () => {
    assert.deepEqual(buildReport(subject, result).summary, {
      total: 4,
      unique: 3,
      fixable: 1,
      bySeverity: [
        { severity: "CRITICAL", count: 1 },
        { severity: "LOW", count: 3 },
      ],
      packageCount: 4,
      affectedPackageCount: 2,
      maxSeverity: "CRITICAL",
    });
  });

  test("with limits keeps the worst findings, counts all, and says what it left out", () => {
    const report = buildReport({ ...subject, limits: { findings: 2 } }, result);
    assert.deepEqual(report.findings, buildReport(subject, result).findings.slice(0, 2));
    assert.deepEqual(
      report.vulnerabilities.map(({ name }) => name),
      ["CVE-0", "CVE-2"],
    );
    assert.equal(report.packages.length, 4);
    assert.deepEqual(report.summary, buildReport(subject, result).summary);
    assert.deepEqual([report.leftOut, report.limits], [[{ severity: "LOW", count: 2 }], { findings: 2 }]);
    assert.deepEqual([report.coverage, report.coverageNotes.includes("findings_left_out")], ["PARTIAL", true]);
    assert.match(
      report.headline,
      /^3 vulnerabilities .*; the report's limits left findings out: 2 low\)$|: the report's limits left findings out: 2 low\)$/,
    );
    const wide = buildReport({ ...subject, limits: { findings: 4, leastSeverity: "LOW" } }, result);
    assert.deepEqual([wide.leftOut, wide.coverage], [undefined, buildReport(subject, result).coverage]);
  });

  test("tells the image's size and its layers' names", () => {
    const { artifact, layers } = buildReport(subject, result);
    assert.equal(artifact.sizeBytes, 120);
    assert.deepEqual(
      layers.map(({ index, clairName, skipped }) => [index, clairName, skipped]),
      [
        [0, "n1", false],
        [1, "n2", false],
      ],
    );
  });
});
