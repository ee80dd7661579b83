import type { ImageManifest, OtherManifest } from "./image-manifest.ts";
import { plainText } from "./plain-text.ts";
import type { Coverage, CoverageNote, Distribution, Report, Summary, VulnerabilityData } from "./report.ts";
import type { ScanResult } from "./scan-result.ts";
import type { SeverityCount } from "./severity.ts";

/** What a report claims. */
export type Verdict = Pick<Report, "coverage" | "coverageNotes" | "headline">;

/** What the claim rests on. */
export interface Evidence {
  manifest: ImageManifest | OtherManifest;
  /** Undefined when no scanner was asked. */
  result: ScanResult | undefined;
  /** The counts of the result. */
  summary: Summary;
  /** How many findings the report does not keep. Default: none. */
  leftOut?: readonly SeverityCount[];
}

/** How many distributions a headline names. */
const maxNamed = 3;

const nothing = { distributions: [], packages: [] };

/**
 * Decides what a report claims: check-in, log, demo and pages all take their words from here.
 *
 * Only coverage FULL has the headline "no vulnerabilities found": the scanner knows an operating system, has read packages
 * of each distribution and has vulnerability data for each, and no layer or finding was left out. Each reason why coverage is not
 * FULL has a note. Coverage is then PARTIAL if some packages were compared with vulnerability data, or may have been,
 * and UNSUPPORTED otherwise.
 */
export function reachVerdict(evidence: Evidence): Verdict {
  const coverageNotes = notesOn(evidence);
  const coverage = coverageOf(evidence, coverageNotes);
  return { coverage, coverageNotes, headline: headlineOf(evidence, coverage, coverageNotes) };
}

function notesOn({ manifest, result, leftOut = [] }: Evidence): CoverageNote[] {
  if (manifest.kind === "other") return [manifest.note];
  const { distributions = [], coverageNotes = [] } = result ?? {};
  const notes = new Set([...(manifest.coverageNotes ?? []), ...coverageNotes]);
  if (distributions.length === 0 && !notes.has("unsupported_layer")) notes.add("os_unknown");
  if (withoutPackages(result).length > 0) notes.add("no_packages");
  if (lacking(distributions, "ABSENT").length > 0) notes.add("no_vulnerability_data");
  if (withUnknownData(result).length > 0) notes.add("vulnerability_data_unknown");
  if (withoutVersion(result) > 0) notes.add("version_unknown");
  if (leftOut.length > 0) notes.add("findings_left_out");
  return [...notes].sort();
}

function coverageOf({ manifest, result }: Evidence, notes: readonly CoverageNote[]): Coverage {
  if (manifest.kind === "other") return manifest.note === "not_an_image" ? "NOT_AN_IMAGE" : "UNSUPPORTED";
  const { distributions = [], findings = [] } = result ?? {};
  const empty = new Set(withoutPackages(result));
  const wasCompared = (own: Distribution) => own.vulnerabilityData !== "ABSENT" && !empty.has(own);
  if (findings.length === 0 && !distributions.some(wasCompared)) return "UNSUPPORTED";
  return notes.length > 0 ? "PARTIAL" : "FULL";
}

/** For a headline: distributions, and packages that belong to none, of which the scanner may have no data. */
function withUnknownData({
  distributions,
  packages,
}: Pick<ScanResult, "distributions" | "packages"> = nothing): string[] {
  const unknown = lacking(distributions, "UNKNOWN");
  const namespaces = new Set(distributions.map(({ namespace }) => namespace));
  const others = namespaces.size === 0 ? 0 : packages.filter(({ namespace }) => !namespaces.has(namespace)).length;
  return [
    ...(unknown.length > 0 ? [listOf(unknown)] : []),
    ...(others > 0 ? [`${count(others, "package")} of no distribution`] : []),
  ];
}

/** How many packages have no version, which is all that vulnerability data is about. */
function withoutVersion({ packages }: Pick<ScanResult, "packages"> = nothing): number {
  return packages.filter(({ version }) => version.trim() === "").length;
}

/** The distributions no package of which was read with its version. */
function withoutPackages({ distributions, packages }: Pick<ScanResult, "distributions" | "packages"> = nothing) {
  const comparable = packages.filter(({ version }) => version.trim() !== "");
  const namespaces = new Set(comparable.map(({ namespace }) => namespace));
  return distributions.filter(({ namespace }) => !namespaces.has(namespace));
}

function headlineOf(
  { manifest, result, summary, leftOut }: Evidence,
  coverage: Coverage,
  notes: readonly CoverageNote[],
): string {
  if (manifest.kind === "other") {
    const what = coverage === "NOT_AN_IMAGE" ? "skipped: not an image" : "unsupported: a manifest that is not scanned";
    return `${what} (${plainText(manifest.why)})`;
  }
  const reasons = notes.map((note) => reasonFor(note, result, leftOut)).join("; ");
  if (coverage === "UNSUPPORTED") return `unsupported: ${reasons}`;
  const packages = count(summary.packageCount, "package");
  if (summary.total > 0) {
    const severities = countsOf(summary.bySeverity);
    const vulnerabilities = count(summary.unique, "vulnerability", "vulnerabilities");
    const findings = summary.total === summary.unique ? "" : `, ${count(summary.total, "finding")}`;
    const found = `${vulnerabilities} in ${summary.affectedPackageCount} of ${packages}${findings}: ${severities}`;
    return `${found} (${coverage === "FULL" ? "full coverage" : `partial: ${reasons}`})`;
  }
  if (coverage === "FULL") return `no vulnerabilities found in ${packages} (full coverage)`;
  return `partial: nothing found in ${packages}, but ${reasons}`;
}

function countsOf(counts: readonly SeverityCount[]): string {
  return counts.map(({ severity, count: own }) => `${own} ${severity.toLowerCase()}`).join(", ");
}

function reasonFor(note: CoverageNote, result: ScanResult | undefined, leftOut: readonly SeverityCount[] = []): string {
  const distributions = result?.distributions ?? [];
  switch (note) {
    case "config_unknown":
      return "its configuration's type is not an image's";
    case "os_unknown":
      return "the scanner knows no operating system in the image";
    case "no_packages":
      return `the scanner could read no package of ${listOf(withoutPackages(result))}`;
    case "no_vulnerability_data":
      return `the scanner has no vulnerability data for ${listOf(lacking(distributions, "ABSENT"))}`;
    case "vulnerability_data_unknown":
      return `the scanner did not tell whether it has vulnerability data for ${withUnknownData(result).join(" and ")}`;
    case "version_unknown":
      return `the scanner read no version of ${count(withoutVersion(result), "package")}`;
    case "foreign_layer_skipped":
      return "a non-distributable layer was left out";
    case "unsupported_layer":
      return "a layer that the scanner cannot read was left out";
    case "findings_left_out":
      return `the report's limits left findings out: ${countsOf(leftOut)}`;
    default:
      return note;
  }
}

function lacking(distributions: readonly Distribution[], data: VulnerabilityData): Distribution[] {
  return distributions.filter(({ vulnerabilityData }) => vulnerabilityData === data);
}

function listOf(distributions: readonly Distribution[]): string {
  const names = [...new Set(distributions.map(({ namespace }) => plainText(namespace, 60)))].sort();
  const more = names.length > maxNamed ? ` and ${names.length - maxNamed} more` : "";
  return `${names.slice(0, maxNamed).join(", ")}${more}`;
}

function count(total: number, noun: string, plural = `${noun}s`): string {
  return `${total} ${total === 1 ? noun : plural}`;
}
