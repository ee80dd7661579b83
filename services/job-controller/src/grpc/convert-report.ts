import {
  Coverage as CoverageCode,
  Severity as SeverityCode,
  type SeverityCount,
  type Summary,
} from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type * as message from "@drydock/shared/gen/drydock/report/v1/report_service.ts";
import type { Coverage, ImageLocation, ListedReport, ReportCounts, Severity } from "../domain/report-entry.ts";
import { severities } from "../domain/report-entry.ts";
import type { ReportTotals, VulnerabilityMatch } from "../ports/report-queries.ts";
import { toDate } from "./time.ts";

/** How many repositories of an image an answer names, and how many tags of each. */
const maxLocations = 100;

const severityCodes = {
  UNKNOWN: SeverityCode.SEVERITY_UNKNOWN,
  NEGLIGIBLE: SeverityCode.SEVERITY_NEGLIGIBLE,
  LOW: SeverityCode.SEVERITY_LOW,
  MEDIUM: SeverityCode.SEVERITY_MEDIUM,
  HIGH: SeverityCode.SEVERITY_HIGH,
  CRITICAL: SeverityCode.SEVERITY_CRITICAL,
} as const satisfies Record<Severity, SeverityCode>;

const coverageCodes = {
  FULL: CoverageCode.COVERAGE_FULL,
  PARTIAL: CoverageCode.COVERAGE_PARTIAL,
  UNSUPPORTED: CoverageCode.COVERAGE_UNSUPPORTED,
  NOT_AN_IMAGE: CoverageCode.COVERAGE_NOT_AN_IMAGE,
} as const satisfies Record<Coverage, CoverageCode>;

const coverages = Object.keys(coverageCodes) as Coverage[];
const worstFirst = severities.toReversed();

/** The severity of a code; undefined for SEVERITY_UNSPECIFIED and for one that is not known. */
export function fromSeverityCode(code: SeverityCode): Severity | undefined {
  return severities.find((severity) => severityCodes[severity] === code);
}

/** The severity of a code; UNKNOWN for one that is not known. */
export function toSeverity(code: SeverityCode): Severity {
  return fromSeverityCode(code) ?? "UNKNOWN";
}

export function toSeverityCode(severity: Severity): SeverityCode {
  return severityCodes[severity];
}

/** The coverage of a code; undefined for COVERAGE_UNSPECIFIED and for one that is not known. */
export function fromCoverageCode(code: CoverageCode): Coverage | undefined {
  return coverages.find((coverage) => coverageCodes[coverage] === code);
}

export function toCoverageCode(coverage: Coverage): CoverageCode {
  return coverageCodes[coverage];
}

/** Counts by severity; those of severities that are not known are UNKNOWN. */
export function toSeverityCounts(counts: readonly SeverityCount[]): Partial<Record<Severity, number>> {
  const bySeverity: Partial<Record<Severity, number>> = {};
  for (const { severity: code, count } of counts) {
    const severity = toSeverity(code);
    bySeverity[severity] = (bySeverity[severity] ?? 0) + count;
  }
  return bySeverity;
}

/** A report of a list as clients see it. */
export function toReportEntry(report: ListedReport): message.ReportEntry {
  const { reportId, jobId, digest, indexDigest, platform, coverage, scanner, scannedAt, headline } = report;
  return {
    ...{ reportId, jobId, digest, indexDigest, platform, scanner, headline },
    locations: report.locations.slice(0, maxLocations).map(toLocation),
    locationCount: report.locationCount,
    coverage: toCoverageCode(coverage),
    coverageNotes: [...report.coverageNotes],
    scannedAt: toDate(scannedAt),
    summary: toSummary(report.counts),
    knownExploited: report.knownExploited,
    maxEpss: report.maxEpss,
  };
}

/** An image that has a vulnerability as clients see it. */
export function toMatch({
  tags,
  severity,
  coverage,
  scannedAt,
  ...match
}: VulnerabilityMatch): message.VulnerabilityMatch {
  return {
    ...match,
    tags: tags.slice(0, maxLocations),
    severity: toSeverityCode(severity),
    coverage: toCoverageCode(coverage),
    scannedAt: toDate(scannedAt),
  };
}

/** What several reports come to together, as clients see it. */
export function toTotals(totals: ReportTotals): message.ReportTotals {
  const { images, findings, fixable, bySeverity, imagesBySeverity, byCoverage, imagesWithKnownExploited } = totals;
  const none = imagesBySeverity.NONE ?? 0;
  return {
    ...{ images, findings, fixable, imagesWithKnownExploited },
    bySeverity: toCounts(bySeverity),
    imagesBySeverity: [
      ...toCounts(imagesBySeverity),
      ...(none > 0 ? [{ severity: SeverityCode.SEVERITY_UNSPECIFIED, count: none }] : []),
    ],
    byCoverage: coverages.flatMap((coverage) => {
      const count = byCoverage[coverage] ?? 0;
      return count > 0 ? [{ coverage: toCoverageCode(coverage), count }] : [];
    }),
  };
}

function toLocation({ repository, tags }: ImageLocation): message.ImageLocation {
  return { repository, tags: tags.slice(0, maxLocations) };
}

function toSummary({ total, unique, fixable, bySeverity, packages, affectedPackages }: ReportCounts): Summary {
  const counts = toCounts(bySeverity);
  return {
    ...{ total, unique, fixable, bySeverity: counts },
    ...{ packageCount: packages, affectedPackageCount: affectedPackages },
    maxSeverity: counts[0]?.severity ?? SeverityCode.SEVERITY_UNSPECIFIED,
  };
}

/** The worst first; severities without any are left out. */
function toCounts(bySeverity: Partial<Record<Severity, number>>): { severity: SeverityCode; count: number }[] {
  return worstFirst.flatMap((severity) => {
    const count = bySeverity[severity] ?? 0;
    return count > 0 ? [{ severity: toSeverityCode(severity), count }] : [];
  });
}
