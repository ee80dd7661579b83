import { oneLine } from "@drydock/shared/plain-text.ts";
import type { FullFinding, ReportHead, ReportSource } from "./report-source.ts";
import { coverageLine, exceptionOf, scannerOf, severityOf, verdictLines } from "./words.ts";

/** Those of Harbor's export, the coverage, what the policies say of the image, and why a finding is excepted. */
const columns = [
  "Repository",
  "Artifact Digest",
  "CVE",
  "Package",
  "Current Version",
  "Fixed in version",
  "Severity",
  "CWE Ids",
  "Additional Data",
  "Scanner",
  "Coverage",
  "Policy",
  "Exception",
];

/**
 * Comma-separated values (RFC 4180), a row for each finding. A report without findings has one row, without a CVE, that says
 * its coverage: no row at all could be taken for clean.
 */
export async function* exportCsv(source: ReportSource): AsyncGenerator<string> {
  yield toRow(columns);
  let hasFindings = false;
  for await (const full of source.findings()) {
    hasFindings = true;
    yield toRow(cellsOf(source.titled, full));
  }
  if (!hasFindings) yield toRow(cellsOf(source.titled, undefined));
}

function cellsOf(head: ReportHead, full: FullFinding | undefined): string[] {
  const { repository = "", digest = "" } = head.artifact ?? {};
  return [
    repository,
    digest,
    full?.vulnerability.name ?? "",
    full?.package.name ?? "",
    full?.package.version ?? "",
    full?.finding.fixedVersion ?? "",
    full === undefined ? "" : severityOf(full.finding.severity).harbor,
    "",
    full === undefined ? head.headline : dataOf(full),
    scannerOf(head),
    coverageLine(head),
    verdictLines(head.verdict)[0] ?? "",
    full?.exception === undefined ? "" : exceptionOf(full.exception),
  ];
}

/** What there is no column for. */
function dataOf({ vulnerability: { link, knownExploited, epss }, finding: { layerDigest } }: FullFinding): string {
  const data = {
    ...(link !== "" && { link }),
    ...(layerDigest !== "" && { layer: layerDigest }),
    ...(knownExploited && { known_exploited: true }),
    ...(epss > 0 && { epss }),
  };
  return Object.keys(data).length === 0 ? "" : JSON.stringify(data);
}

function toRow(cells: readonly string[]): string {
  return `${cells.map(toCell).join(",")}\r\n`;
}

/** A cell that no spreadsheet takes for a formula, and that is one line. */
function toCell(text: string): string {
  const plain = oneLine(text);
  const inert = isFormula(text) || isFormula(plain) ? `'${plain}` : plain;
  return /^\s|\s$|[",;\n\r]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** What spreadsheets begin a formula with, in full width too, blanks or quotes before it notwithstanding. */
function isFormula(text: string): boolean {
  return /^[\s"']*[=+\-@＝＋－＠]|^[\t\r\n]/.test(text);
}
