import { oneLine } from "@drydock/shared/plain-text.ts";
import type { FullFinding, ReportHead, ReportSource } from "./report-source.ts";
import {
  coverageLine,
  exceptionOf,
  imageName,
  platformOf,
  scannerOf,
  severityOf,
  systemsOf,
  timeOf,
  totalLine,
  verdictLines,
} from "./words.ts";

const titles = ["SEVERITY", "VULNERABILITY", "PACKAGE", "INSTALLED", "FIXED IN", "LAYER", "LINK", "EXCEPTION"];
/** Wider cells do not widen their column. */
const maxWidth = 40;
const gap = "  ";

/** A table of plain text, for people; the coverage stands beside the total. */
export async function* exportTable(source: ReportSource): AsyncGenerator<string> {
  yield headOf(source.titled);
  const widths = titles.map((title) => title.length);
  let [count, isExcepted] = [0, false];
  for await (const full of source.findings()) {
    count += 1;
    isExcepted ||= full.exception !== undefined;
    for (const [column, cell] of cellsOf(full).entries()) {
      widths[column] = Math.max(widths[column] ?? 0, Math.min(maxWidth, lengthOf(cell)));
    }
  }
  if (count > 0) {
    yield toLine(isExcepted ? titles : titles.slice(0, -1), widths);
    for await (const full of source.findings()) yield toLine(cellsOf(full), widths);
    yield "\n";
  }
  yield `Total: ${totalLine(source.titled)}\n`;
}

function headOf(head: ReportHead): string {
  const facts: Array<[name: string, value: string]> = [
    ["Image", imageName(head)],
    ["Digest", oneLine(head.artifact?.digest ?? "")],
    ["Platform", platformOf(head)],
    ["System", systemsOf(head)],
    ["Scanner", scannerOf(head)],
    ["Scanned", timeOf(head)],
    ["Coverage", coverageLine(head)],
    ["Result", oneLine(head.headline)],
    ...verdictLines(head.verdict).map((line, at): [string, string] => [at === 0 ? "Policy" : "", line]),
  ];
  const lines = facts.filter(([, value]) => value !== "").map(([name, value]) => `${name.padEnd(10)}${value}`);
  return `${lines.join("\n")}\n\n`;
}

function cellsOf({ finding, package: found, vulnerability, exception }: FullFinding): string[] {
  const { word } = severityOf(finding.severity);
  const { knownExploited, epss } = vulnerability;
  const marks = [
    ...(exception === undefined ? [] : ["excepted"]),
    ...(knownExploited ? ["exploited"] : []),
    ...(epss > 0 ? [`EPSS ${(epss * 100).toFixed(1)} %`] : []),
  ];
  const layer = finding.layerDigest.replace(/^sha\d+:/, "").slice(0, 12);
  return [
    marks.length === 0 ? word : `${word} (${marks.join(", ")})`,
    vulnerability.name,
    found.name,
    found.version,
    finding.fixedVersion || "not fixed",
    layer,
    vulnerability.link,
    exception === undefined ? "" : exceptionOf(exception),
  ].map(oneLine);
}

function toLine(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))));
  return `${padded.join(gap).trimEnd()}\n`;
}

/** In characters rather than code units. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
