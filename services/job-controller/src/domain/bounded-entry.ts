import type { IndexedFinding, IndexedReport } from "./report-entry.ts";

/** The longest of a name or a version, in code units: of all that are listed and indexed. */
const maxName = 255;
const maxTag = 128;
const maxTags = 100;
const maxHeadline = 1_024;
const maxNote = 64;
const maxNotes = 32;

/**
 * A report's entry that fits in lists and indexes whatever its worker put into the report, which has its texts as they are:
 * texts that are too long are cut, tags that can be none are left out.
 */
export function boundedEntry(entry: IndexedReport): IndexedReport {
  return {
    ...entry,
    platform: cut(entry.platform, maxName),
    repository: cut(entry.repository, maxName),
    tags: entry.tags.filter(({ length }) => length <= maxTag).slice(0, maxTags),
    coverageNotes: entry.coverageNotes.slice(0, maxNotes).map((note) => cut(note, maxNote)),
    scanner: cut(entry.scanner, maxName),
    scannerState: cut(entry.scannerState, maxHeadline),
    headline: cut(entry.headline, maxHeadline),
  };
}

/** The same of a finding. */
export function boundedFinding(finding: IndexedFinding): IndexedFinding {
  const { vulnerability, package: name, version, fixedVersion } = finding;
  return {
    ...finding,
    vulnerability: cut(vulnerability, maxName),
    package: cut(name, maxName),
    version: cut(version, maxName),
    fixedVersion: cut(fixedVersion, maxName),
  };
}

/** The text as a name or version of an index. */
export function boundedName(text: string): string {
  return cut(text, maxName);
}

/** A copy, as a slice would keep the whole text in memory. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : Buffer.from(text.slice(0, most).toWellFormed()).toString();
}
