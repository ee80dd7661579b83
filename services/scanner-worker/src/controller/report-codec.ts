import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import * as proto from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { PolicyRules, UnknownSeverity } from "../domain/policy.ts";
import type {
  Coverage,
  FindingStatus,
  Report,
  Severity,
  SourceKind,
  Summary,
  VulnerabilityData,
} from "../domain/report.ts";

/** A report as it travels to the controller. */
export interface EncodedReport {
  /** The drydock.report.v1.Report, gzip. */
  gzip: Uint8Array;
  /** The SHA-256 of the gzip, in hex. */
  sha256: string;
  /** The counts that lists show. */
  summary: proto.Summary;
}

const compress = promisify(gzip);

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

/** A report in its wire form. Equal reports give equal bytes. */
export async function encodeReport(report: Report): Promise<EncodedReport> {
  const message = toMessage(report);
  const bytes = await compress(proto.Report.encode(message).finish());
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
  };
}

function toPolicy(policy: PolicyRules): proto.PolicyRules {
  const { failOn, fixableOnly = false, unknownAs = "IGNORE", graceDays = 0, failOnEpss = 0 } = policy;
  const { failOnKnownExploited = false, requireFullCoverage = false } = policy;
  return {
    failOn: failOn === undefined ? proto.Severity.SEVERITY_UNSPECIFIED : severities[failOn],
    fixableOnly,
    unknownAs: unknownSeverities[unknownAs],
    graceDays,
    failOnKnownExploited,
    failOnEpss,
    requireFullCoverage,
  };
}

function toSummary(summary: Summary): proto.Summary {
  const { maxSeverity } = summary;
  return {
    ...summary,
    bySeverity: summary.bySeverity.map(({ severity, count }) => ({ severity: severities[severity], count })),
    maxSeverity: maxSeverity === undefined ? proto.Severity.SEVERITY_UNSPECIFIED : severities[maxSeverity],
  };
}
