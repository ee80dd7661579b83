import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import type { IndexedFinding, IndexedReport, Severity } from "@drydock/job-controller/domain/report-entry.ts";

import { Severity as Code, Coverage, Report } from "@drydock/shared/gen/drydock/report/v1/report.ts";

const [vulnerabilities, packages, versions, bases] = [5_000, 300, 12, 100];
const [baseFindings, ownFindings] = [40, 20];
const severityCodes: Readonly<Record<Severity, Code>> = {
  ...{ UNKNOWN: Code.SEVERITY_UNKNOWN, NEGLIGIBLE: Code.SEVERITY_NEGLIGIBLE, LOW: Code.SEVERITY_LOW },
  ...{ MEDIUM: Code.SEVERITY_MEDIUM, HIGH: Code.SEVERITY_HIGH, CRITICAL: Code.SEVERITY_CRITICAL },
};
const severities: readonly Severity[] = ["LOW", "LOW", "MEDIUM", "MEDIUM", "MEDIUM", "HIGH", "HIGH", "CRITICAL"];

/**
 * The report of an image of a registry, the same for the same number: 60 findings, 40 of them from one of a hundred base
 * images, some of which many images stand on.
 */
export function madeReport(jobId: string, number: number, scannedAt: number): IndexedReport {
  const base = Math.floor(bases * random("base", number) ** 3);
  const findings = [
    ...Array.from({ length: baseFindings }, (_, at) => findingOf(`base ${base}`, at, base % versions)),
    ...Array.from({ length: ownFindings }, (_, at) => findingOf(`image ${number}`, at, number % versions)),
  ];
  const distinct = [...new Map(findings.map((finding) => [finding.vulnerability, finding])).values()];
  const bySeverity: Partial<Record<Severity, number>> = {};
  for (const { severity } of distinct) bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  const total = distinct.length;
  return {
    ...{ reportId: `${jobId}~${number}`, jobId, digest: digestOf(number), indexDigest: "", platform: "linux/amd64" },
    ...{ repository: `team-${number % 40}/app-${number % 1_000}`, tags: [`1.${Math.floor(number / 1_000)}`] },
    ...{ coverage: number % 10 === 0 ? "PARTIAL" : "FULL", coverageNotes: [], scanner: "Clair", scannerState: "1" },
    ...{
      scannedAt,
      headline: `${total} vulnerabilities`,
      knownExploited: number % 50 === 0 ? 1 : 0,
      maxEpss: ((number * 7_919) % 100_000) / 100_000,
    },
    counts: { total, unique: total, fixable: Math.floor(total / 2), bySeverity, packages: 120, affectedPackages: 50 },
    findings: distinct,
    layerNames: [...[1, 2, 3].map((layer) => `base ${base} ${layer}`), `own ${number}`],
  };
}

/** The report in full, packed: about 4 KiB. */
export function packedReport({ digest, coverage, headline, findings }: IndexedReport): Buffer {
  const words = (of: string) => createHash("sha256").update(of).digest("hex");
  const report = Report.fromPartial({
    ...{ artifact: { digest }, headline, generatedAt: new Date(0) },
    coverage: coverage === "FULL" ? Coverage.COVERAGE_FULL : Coverage.COVERAGE_PARTIAL,
    packages: findings.map(({ package: name, version }, at) => ({
      id: `${at}`,
      name,
      version,
      namespace: "debian:12",
    })),
    vulnerabilities: findings.map(({ vulnerability: name, severity }, at) => ({
      ...{ key: `${at}`, name, namespace: "debian:12", severity: severityCodes[severity] },
      description: `A fault in ${words(name)} that lets whoever can reach it do what they must not.`,
      links: [`https://security-tracker.debian.org/tracker/${name}`],
    })),
    findings: findings.map(({ severity, fixedVersion }, at) => ({
      ...{ packageId: `${at}`, vulnerabilityKey: `${at}`, severity: severityCodes[severity], fixedVersion },
    })),
  });
  return gzipSync(Report.encode(report).finish());
}

/** The digest of the image of that number. */
export function digestOf(number: number): string {
  return `sha256:${createHash("sha256").update(String(number)).digest("hex")}`;
}

/** The name of the vulnerability of that number, from 0 to 4,999. */
export function vulnerabilityName(number: number): string {
  return `CVE-${2015 + (number % 10)}-${1_000 + number}`;
}

function findingOf(of: string, at: number, version: number): IndexedFinding {
  const number = Math.floor(vulnerabilities * random(of, at));
  return {
    vulnerability: vulnerabilityName(number),
    severity: severities[number % severities.length] ?? "LOW",
    package: `library-${number % packages}`,
    version: `1.${version}.${number % 7}`,
    fixedVersion: number % 2 === 0 ? `1.${versions + 1}.0` : "",
  };
}

/** From 0 to 1, the same each time. */
function random(of: string, at: number): number {
  return createHash("sha1").update(`${of} ${at}`).digest().readUInt32BE(0) / 2 ** 32;
}
