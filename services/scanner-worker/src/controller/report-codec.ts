import { createHash } from "node:crypto";
import { gzip } from "@drydock/shared/compress.ts";
import * as proto from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { JobFailure } from "../domain/job-failure.ts";
import type { PolicyRules, UnknownSeverity } from "../domain/policy.ts";
import type {
  Coverage,
  CoverageNote,
  FindingStatus,
  Report,
  ReportLimits,
  ScannerInfo,
  SourceKind,
  Summary,
  VulnerabilityData,
} from "../domain/report.ts";
import type { Severity, SeverityCount } from "../domain/severity.ts";

/** A report as it travels to the controller. */
export interface EncodedReport {
  /** The drydock.report.v1.Report, gzip. */
  gzip: Uint8Array;
  /** The SHA-256 of the gzip, in hex. */
  sha256: string;
  /** The counts that lists show. */
  summary: proto.Summary;
}

const severities: Readonly<Record<Severity, proto.Severity>> = {
  UNKNOWN: proto.Severity.SEVERITY_UNKNOWN,
  NEGLIGIBLE: proto.Severity.SEVERITY_NEGLIGIBLE,
  LOW: proto.Severity.SEVERITY_LOW,
  MEDIUM: proto.Severity.SEVERITY_MEDIUM,
  HIGH: proto.Severity.SEVERITY_HIGH,
  CRITICAL: proto.Severity.SEVERITY_CRITICAL,
};

const coverages: Readonly<Record<Coverage, proto.Coverage>> = {
  FULL: proto.Coverage.COVERAGE_FULL,
  PARTIAL: proto.Coverage.COVERAGE_PARTIAL,
  UNSUPPORTED: proto.Coverage.COVERAGE_UNSUPPORTED,
  NOT_AN_IMAGE: proto.Coverage.COVERAGE_NOT_AN_IMAGE,
};

const vulnerabilityData: Readonly<Record<VulnerabilityData, proto.VulnerabilityData>> = {
  PRESENT: proto.VulnerabilityData.VULNERABILITY_DATA_PRESENT,
  ABSENT: proto.VulnerabilityData.VULNERABILITY_DATA_ABSENT,
  UNKNOWN: proto.VulnerabilityData.VULNERABILITY_DATA_UNKNOWN,
};

const statuses: Readonly<Record<FindingStatus, proto.FindingStatus>> = {
  AFFECTED: proto.FindingStatus.FINDING_STATUS_AFFECTED,
  FIXED_AVAILABLE: proto.FindingStatus.FINDING_STATUS_FIXED_AVAILABLE,
};

const sourceKinds: Readonly<Record<SourceKind, proto.SourceKind>> = {
  CLAIR_V1: proto.SourceKind.SOURCE_KIND_CLAIR_V1,
};

const unknownSeverities: Readonly<Record<UnknownSeverity, proto.UnknownSeverity>> = {
  IGNORE: proto.UnknownSeverity.UNKNOWN_SEVERITY_IGNORE,
  LOW: proto.UnknownSeverity.UNKNOWN_SEVERITY_LOW,
  FAIL: proto.UnknownSeverity.UNKNOWN_SEVERITY_FAIL,
};

const words = {
  severity: wordsOf(severities),
  coverage: wordsOf(coverages),
  vulnerabilityData: wordsOf(vulnerabilityData),
  status: wordsOf(statuses),
  sourceKind: wordsOf(sourceKinds),
  unknownSeverity: wordsOf(unknownSeverities),
};

/** A report in its wire form. Equal reports give equal bytes. */
export async function encodeReport(report: Report): Promise<EncodedReport> {
  const message = toMessage(report);
  const bytes = await gzip(proto.Report.encode(message).finish());
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { gzip: bytes, sha256, summary: toSummary(report.summary) };
}

/** A report as the message of the contract. */
export function toMessage(report: Report): proto.Report {
  return {
    schemaVersion: report.schemaVersion,
    reportId: report.reportId,
    artifact: { ...report.artifact, tags: [...report.artifact.tags] },
    scanner: report.scanner && { state: "", ...report.scanner, kind: sourceKinds[report.scanner.kind] },
    scanStartedAt: report.scanStartedAt,
    generatedAt: report.generatedAt,
    coverage: coverages[report.coverage],
    headline: report.headline,
    coverageNotes: [...report.coverageNotes],
    layers: [...report.layers],
    distributions: report.distributions.map((distribution) => ({
      ...distribution,
      vulnerabilityData: vulnerabilityData[distribution.vulnerabilityData],
    })),
    packages: [...report.packages],
    vulnerabilities: report.vulnerabilities.map((vulnerability) => ({
      ...vulnerability,
      severity: severities[vulnerability.severity],
      links: [...vulnerability.links],
      cvss: [...vulnerability.cvss],
      extensions: Object.keys(vulnerability.extensions).length === 0 ? undefined : { ...vulnerability.extensions },
      knownExploited: false,
      epss: 0,
    })),
    findings: report.findings.map((finding) => ({
      ...finding,
      severity: severities[finding.severity],
      status: statuses[finding.status],
    })),
    summary: toSummary(report.summary),
    policy: report.policy && toPolicy(report.policy),
    verdict: undefined,
    limits: report.limits && toLimits(report.limits),
    leftOut: toCounts(report.leftOut ?? []),
  };
}

function toLimits({ leastSeverity, findings = 0 }: ReportLimits): proto.ReportLimits {
  return { leastSeverity: toSeverityCode(leastSeverity), findings };
}

function toSeverityCode(severity: Severity | undefined): proto.Severity {
  return severity === undefined ? proto.Severity.SEVERITY_UNSPECIFIED : severities[severity];
}

function toCounts(counts: readonly SeverityCount[]): proto.SeverityCount[] {
  return counts.map(({ severity, count }) => ({ severity: severities[severity], count }));
}

function toPolicy(policy: PolicyRules): proto.PolicyRules {
  const { failOn, fixableOnly = false, unknownAs = "IGNORE", graceDays = 0, failOnEpss = 0 } = policy;
  const { failOnKnownExploited = false, requireFullCoverage = false } = policy;
  return {
    failOn: toSeverityCode(failOn),
    fixableOnly,
    unknownAs: unknownSeverities[unknownAs],
    graceDays,
    failOnKnownExploited,
    failOnEpss,
    requireFullCoverage,
  };
}

function toSummary(summary: Summary): proto.Summary {
  const { bySeverity, maxSeverity } = summary;
  return { ...summary, bySeverity: toCounts(bySeverity), maxSeverity: toSeverityCode(maxSeverity) };
}

/**
 * The report that a message has. What the controller adds when it answers (known exploited, EPSS, verdict) is left out.
 * @throws JobFailure INTERNAL when it has what this worker does not know
 */
export function fromMessage(message: proto.Report): Report {
  const { artifact, scanner, scanStartedAt, generatedAt, summary } = message;
  if (!artifact || !scanStartedAt || !generatedAt || !summary || message.schemaVersion !== "1") throw unreadable();
  return {
    schemaVersion: message.schemaVersion,
    reportId: message.reportId,
    artifact: { ...artifact, platform: artifact.platform },
    scanner: scanner && fromScanner(scanner),
    scanStartedAt,
    generatedAt,
    coverage: toCoverage(message.coverage),
    headline: message.headline,
    coverageNotes: message.coverageNotes as CoverageNote[],
    layers: message.layers,
    distributions: message.distributions.map((distribution) => ({
      ...distribution,
      // a report of a version that did not ask has none
      vulnerabilityData: words.vulnerabilityData.get(distribution.vulnerabilityData) ?? "UNKNOWN",
    })),
    packages: message.packages,
    vulnerabilities: message.vulnerabilities.map(({ knownExploited, epss, extensions = {}, ...vulnerability }) => ({
      ...vulnerability,
      severity: known(words.severity.get(vulnerability.severity)),
      extensions,
    })),
    findings: message.findings.map((finding) => ({
      ...finding,
      severity: known(words.severity.get(finding.severity)),
      status: known(words.status.get(finding.status)),
    })),
    summary: fromSummary(summary),
    ...(message.policy && { policy: fromPolicy(message.policy) }),
    ...(message.limits && { limits: fromLimits(message.limits) }),
    ...(message.leftOut.length > 0 && { leftOut: fromCounts(message.leftOut) }),
  };
}

function fromPolicy({ failOn, unknownAs, ...rules }: proto.PolicyRules): PolicyRules {
  return { ...rules, failOn: words.severity.get(failOn), unknownAs: words.unknownSeverity.get(unknownAs) ?? "IGNORE" };
}

function fromLimits({ leastSeverity, findings }: proto.ReportLimits): ReportLimits {
  return { leastSeverity: words.severity.get(leastSeverity), findings: findings || undefined };
}

function fromCounts(counts: readonly proto.SeverityCount[]): SeverityCount[] {
  return counts.map(({ severity, count }) => ({ severity: known(words.severity.get(severity)), count }));
}

/** @throws JobFailure INTERNAL when this worker does not know it */
export function toCoverage(coverage: proto.Coverage): Coverage {
  return known(words.coverage.get(coverage));
}

function fromScanner({ state, kind, ...scanner }: proto.Scanner): ScannerInfo {
  return { ...scanner, kind: known(words.sourceKind.get(kind)), ...(state !== "" && { state }) };
}

function fromSummary({ maxSeverity, bySeverity, ...counts }: proto.Summary): Summary {
  return { ...counts, bySeverity: fromCounts(bySeverity), maxSeverity: words.severity.get(maxSeverity) };
}

function wordsOf<Word extends string, Value>(values: Readonly<Record<Word, Value>>): ReadonlyMap<Value, Word> {
  return new Map(Object.entries(values).map(([word, value]) => [value as Value, word as Word]));
}

function known<T>(word: T | undefined): T {
  if (word === undefined) throw unreadable();
  return word;
}

function unreadable(): JobFailure {
  return new JobFailure("INTERNAL", "the report is of a version that this worker cannot read", { retryable: true });
}
