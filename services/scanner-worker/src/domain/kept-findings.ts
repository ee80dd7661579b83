import type { Finding, ReportLimits } from "./report.ts";
import type { SeverityCount } from "./severity.ts";
import { countBySeverity, severityRank } from "./severity.ts";

/** The most findings of a report: the controller takes no more. */
export const mostFindings = 50_000;

/** What limits make of the findings of a report. */
export interface KeptFindings {
  kept: readonly Finding[];
  /** How many were left out, the worst first. */
  leftOut: readonly SeverityCount[];
}

/**
 * The findings that a report keeps.
 * @param findings the worst first
 * @param limits default all of the first `mostFindings`
 */
export function keepFindings(
  findings: readonly Finding[],
  { leastSeverity = "UNKNOWN", findings: most = mostFindings }: ReportLimits = {},
): KeptFindings {
  const least = severityRank(leastSeverity);
  const firstMilder = findings.findIndex(({ severity }) => severityRank(severity) < least);
  const count = Math.min(most, firstMilder === -1 ? findings.length : firstMilder);
  return { kept: findings.slice(0, count), leftOut: countBySeverity(findings.slice(count)) };
}
