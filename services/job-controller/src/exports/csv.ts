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
  const exceptions = exceptionsOf(source.titled);
  let hasFindings = false;
  for await (const full of source.findings()) {
    hasFindings = true;
    yield toRow(cellsOf(source.titled, exceptions, full));
  }
  if (!hasFindings) yield toRow(cellsOf(source.titled, exceptions, undefined));
}

function cellsOf(head: ReportHead, exceptions: ReadonlyMap<string, string>, full: FullFinding | undefined): string[] {
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
    exceptions.get(`${full?.vulnerability.name}\n${full?.package.name}\n${full?.package.version}`) ?? "",
  ];
}

/** Why findings are excepted, by vulnerability, package and version. */
function exceptionsOf({ verdict }: ReportHead): ReadonlyMap<string, string> {
  const excepted = verdict?.excepted ?? [];
  return new Map(excepted.map((own) => [`${own.vulnerability}\n${own.package}\n${own.version}`, exceptionOf(own)]));
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
