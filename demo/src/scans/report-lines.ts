import { Coverage, type Finding, type Report, Severity } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import type { Look, Paint } from "../terminal/paint.ts";
import { type Cell, renderTable } from "../terminal/table.ts";

/** How many findings are shown; the worst come first. */
const maxShown = 12;

const severities: Record<number, { word: string; look: Look }> = {
  [Severity.SEVERITY_CRITICAL]: { word: "critical", look: ["red", "bold"] },
  [Severity.SEVERITY_HIGH]: { word: "high", look: "red" },
  [Severity.SEVERITY_MEDIUM]: { word: "medium", look: "yellow" },
  [Severity.SEVERITY_LOW]: { word: "low", look: "blue" },
  [Severity.SEVERITY_NEGLIGIBLE]: { word: "negligible", look: "dim" },
  [Severity.SEVERITY_UNKNOWN]: { word: "unknown", look: "dim" },
};

const looks: Partial<Record<Coverage, Look>> = { [Coverage.COVERAGE_FULL]: "green" };

/** What a person wants to know of a report, in lines. The last one is the report's own headline. */
export function renderReport(report: Report, paint: Paint): string[] {
  const look = looks[report.coverage] ?? "yellow";
  if (report.findings.length === 0) return [paint(look, report.headline)];
  const { fixable = 0, total = 0 } = report.summary ?? {};
  const findings = total === 1 ? "finding" : "findings";
  const fixed = `${fixable} of ${total} ${findings} can be fixed by an update`;
  return [...renderFindings(report, paint), `${report.headline}; ${fixed}`];
}

function renderFindings(report: Report, paint: Paint): string[] {
  const shown = report.findings.slice(0, maxShown);
  const left = report.findings.length - shown.length;
  const titles = ["SEVERITY", "CVE", "PACKAGE", "INSTALLED", "FIXED IN"];
  const table = renderTable(titles, shown.map(toRow(report)), paint);
  return left > 0 ? [...table, paint("dim", `… and ${left} more`)] : table;
}

function toRow(report: Report): (finding: Finding) => Cell[] {
  const packages = new Map(report.packages.map((own) => [own.id, own]));
  const vulnerabilities = new Map(report.vulnerabilities.map((own) => [own.key, own]));
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
