import type { Finding, Package, Summary, Vulnerability } from "./report.ts";
import { countBySeverity } from "./severity.ts";

/** Counts a report's content. */
export function summarise(
  findings: readonly Finding[],
  packages: readonly Package[],
  vulnerabilities: readonly Vulnerability[],
): Summary {
  const names = new Map(vulnerabilities.map(({ key, name }) => [key, name]));
  const bySeverity = countBySeverity(findings);
  return {
    total: findings.length,
    unique: new Set(findings.map(({ vulnerabilityKey }) => names.get(vulnerabilityKey) ?? vulnerabilityKey)).size,
    fixable: findings.filter(({ status }) => status === "FIXED_AVAILABLE").length,
    bySeverity,
    packageCount: packages.length,
    affectedPackageCount: new Set(findings.map(({ packageId }) => packageId)).size,
    maxSeverity: bySeverity[0]?.severity,
  };
}
