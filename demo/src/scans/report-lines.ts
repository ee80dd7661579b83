import { Coverage, type Finding, type Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { Look, Paint } from "../terminal/paint.ts";
import { type Cell, renderTable } from "../terminal/table.ts";

/** How many findings are shown; the worst come first. */
const mostShown = 12;

const severities: Record<number, { word: string; look: Look }> = {
  [Severity.SEVERITY_CRITICAL]: { word: "critical", look: ["red", "bold"] },
  [Severity.SEVERITY_HIGH]: { word: "high", look: "red" },
  [Severity.SEVERITY_MEDIUM]: { word: "medium", look: "yellow" },
  [Severity.SEVERITY_LOW]: { word: "low", look: "blue" },
  [Severity.SEVERITY_NEGLIGIBLE]: { word: "negligible", look: "dim" },
  [Severity.SEVERITY_UNKNOWN]: { word: "unknown", look: "dim" },
};

/** What a person wants to know of a report, in lines. */
export function renderReport(report: Report, paint: Paint): string[] {
  if (report.coverage === Coverage.COVERAGE_NOT_AN_IMAGE) return [paint("yellow", "not an image: skipped")];
  if (report.coverage === Coverage.COVERAGE_UNSUPPORTED) {
    return [paint("yellow", "UNSUPPORTED: the scanner does not know this operating system, which does not mean clean")];
  }
  const packages = count(report.summary?.packageCount ?? 0, "package");
  const partial = report.coverage === Coverage.COVERAGE_PARTIAL ? ["only some of its layers could be looked at"] : [];
  if (report.findings.length === 0) return [...partial, paint("green", `clean: nothing found in ${packages}`)];
  return [...partial, ...renderFindings(report, paint), renderTotals(report, packages, paint)];
}

function renderFindings(report: Report, paint: Paint): string[] {
  const shown = report.findings.slice(0, mostShown);
  const left = report.findings.length - shown.length;
  const titles = ["SEVERITY", "CVE", "PACKAGE", "INSTALLED", "FIXED IN"];
  const table = renderTable(titles, shown.map(toRow(report)), paint);
  return left > 0 ? [...table, paint("dim", `… and ${left} more`)] : table;
}

function toRow(report: Report): (finding: Finding) => Cell[] {
  const packages = new Map(report.packages.map((own) => [own.id, own]));
  const vulnerabilities = new Map(report.vulnerabilities.map((flaw) => [flaw.key, flaw]));
  return ({ packageId, vulnerabilityKey, severity, fixedVersion }) => {
    const found = packages.get(packageId);
    return [
      severityCell(severity),
      { text: vulnerabilities.get(vulnerabilityKey)?.name ?? vulnerabilityKey },
      { text: found?.name ?? packageId },
      { text: found?.version ?? "" },
      fixedVersion === "" ? { text: "not fixed", look: "dim" } : { text: fixedVersion },
    ];
  };
}

function severityCell(severity: Severity): Cell {
  const { word, look } = severities[severity] ?? { word: "unknown", look: "dim" };
  return { text: word, look };
}

function renderTotals({ summary }: Report, packages: string, paint: Paint): string {
  const bySeverity = [...(summary?.bySeverity ?? [])].sort((a, b) => b.severity - a.severity);
  const counts = bySeverity.map(({ severity, count: found }) => {
    const { text, look = "dim" } = severityCell(severity);
    return paint(look, `${found} ${text}`);
  });
  const total = count(summary?.total ?? 0, "vulnerability");
  return `${total} in ${packages}: ${counts.join(", ")}; ${summary?.fixable ?? 0} can be fixed by an update`;
}

function count(number: number, noun: string): string {
  const plural = noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${number} ${number === 1 ? noun : plural}`;
}
