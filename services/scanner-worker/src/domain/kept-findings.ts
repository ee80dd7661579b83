import type { Finding, ReportLimits } from "./report.ts";
import type { SeverityCount } from "./severity.ts";
import { countBySeverity, severityRank } from "./severity.ts";

/** What limits make of the findings of a report. */
export interface KeptFindings {
  kept: readonly Finding[];
  /** How many were left out, the worst first. */
  leftOut: readonly SeverityCount[];
}

/** @param findings the worst first */
export function keepFindings(
  findings: readonly Finding[],
  { leastSeverity = "UNKNOWN", findings: most = Number.POSITIVE_INFINITY }: ReportLimits = {},
): KeptFindings {
  const least = severityRank(leastSeverity);
  const firstMilder = findings.findIndex(({ severity }) => severityRank(severity) < least);
  const count = Math.min(most, firstMilder === -1 ? findings.length : firstMilder);
  return { kept: findings.slice(0, count), leftOut: countBySeverity(findings.slice(count)) };
}
