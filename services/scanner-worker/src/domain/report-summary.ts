import type { Finding, Package, Report, Summary, Vulnerability } from "./report.ts";
import { severitiesWorstFirst } from "./severity.ts";

/** Counts a report's content. */
export function summarise(
  findings: readonly Finding[],
  packages: readonly Package[],
  vulnerabilities: readonly Vulnerability[],
): Summary {
  const names = new Map(vulnerabilities.map(({ key, name }) => [key, name]));
  const bySeverity = severitiesWorstFirst
    .map((severity) => ({ severity, count: findings.filter((finding) => finding.severity === severity).length }))
    .filter(({ count }) => count > 0);
  return {
    total: findings.length,
    unique: new Set(findings.map(({ vulnerabilityKey }) => names.get(vulnerabilityKey) ?? vulnerabilityKey)).size,
    fixable: findings.filter(({ status }) => status === "FIXED_AVAILABLE").length,
    bySeverity,
    packageCount: packages.length,
    maxSeverity: bySeverity[0]?.severity,
  };
}

/** A report in a line, e.g. "90 vulnerabilities in 10 packages: 3 critical, 20 high, 67 unknown". */
export function describeReport(report: Report): string {
  const { summary, findings, coverage, coverageNotes } = report;
  if (coverage === "NOT_AN_IMAGE") return "skipped: not an image";
  if (coverage === "UNSUPPORTED") return `unsupported: ${coverageNotes.join(", ")}`;
  const suffix = coverage === "PARTIAL" ? ` (partial: ${coverageNotes.join(", ")})` : "";
  if (summary.total === 0) return `no vulnerabilities in ${count(summary.packageCount, "package")}${suffix}`;
  const affected = new Set(findings.map(({ packageId }) => packageId)).size;
  const severities = summary.bySeverity.map((entry) => `${entry.count} ${entry.severity.toLowerCase()}`).join(", ");
  return `${vulnerabilities(summary.total)} in ${count(affected, "package")}: ${severities}${suffix}`;
}

function vulnerabilities(total: number): string {
  return total === 1 ? "1 vulnerability" : `${total} vulnerabilities`;
}

function count(total: number, noun: string): string {
  return `${total} ${noun}${total === 1 ? "" : "s"}`;
}
