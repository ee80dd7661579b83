import { createHash } from "node:crypto";
import { fieldsInvalid, type ReasonedError } from "@drydock/shared/errors.ts";
import {
  type Finding,
  type Platform,
  Report,
  type Scanner,
  type Summary,
} from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { boundedEntry, boundedFinding, boundedName } from "../domain/bounded-entry.ts";
import type { IndexedFinding, IndexedReport, ReportCounts, Severity } from "../domain/report-entry.ts";
import { reportIdOf } from "../domain/report-entry.ts";
import { type ExploitationData, nothingKnown, sumUpExploitation } from "../ports/exploitation-data.ts";
import { fromCoverageCode, toSeverity, toSeverityCounts } from "./convert-report.ts";
import { validateCounts } from "./validate-report.ts";

/** How many findings a report may have: all of them are indexed together. */
const maxFindings = 50_000;
/** How many coverage notes are read. */
const maxNotes = 100;

/** What the upload of a report says of it beside its bytes. */
export interface ReportHead {
  jobId: string;
  /** Which of the job's reports it is, from 0. */
  number: number;
  /** Empty for the one that the report itself names. */
  digest: string;
  indexDigest: string;
  /** Of the index, the platforms that the scan has looked for. Default: it does not tell. */
  indexPlatforms?: readonly string[];
}

/**
 * What the indexes are made from. Holds no more than a part of the report at once.
 * @param parts of the report, by unpackParts or unpackUnchecked
 * @param exploitation which vulnerabilities are exploited; default nothing is known
 * @throws ReasonedError FIELD_INVALID when there are too many findings, and what the parts throw
 */
export async function toIndexedReport(
  head: ReportHead,
  parts: AsyncIterable<Buffer>,
  exploitation: ExploitationData = nothingKnown,
): Promise<IndexedReport> {
  return toEntry(head, await readParts(parts), exploitation);
}

/** The same of a report that comes from outside. @throws ReasonedError FIELD_INVALID when its summary is not of it as well */
export async function toCheckedReport(
  head: ReportHead,
  parts: AsyncIterable<Buffer>,
  exploitation: ExploitationData,
): Promise<IndexedReport> {
  const reading = await readParts(parts);
  validateCounts(reading.report.summary, reading.countFindings());
  return toEntry(head, reading, exploitation);
}

async function readParts(parts: AsyncIterable<Buffer>): Promise<ReportReading> {
  const reading = new ReportReading();
  for await (const part of parts) reading.add(Report.decode(part));
  return reading;
}

function toEntry(head: ReportHead, reading: ReportReading, exploitation: ExploitationData): IndexedReport {
  const { jobId, number, digest, indexDigest, indexPlatforms = [] } = head;
  const { report, layerNames } = reading;
  const findings = reading.findings();
  const { artifact, scanner, generatedAt, summary } = report;
  return boundedEntry({
    ...{ reportId: reportIdOf(jobId, number), jobId, indexDigest },
    digest: digest || (artifact?.digest ?? ""),
    platform: formatPlatform(artifact?.platform),
    repository: artifact?.repository ?? "",
    tags: artifact?.tags ?? [],
    // what does not say how much was looked at must not count as looked at
    coverage: fromCoverageCode(report.coverage) ?? "UNSUPPORTED",
    coverageNotes: report.coverageNotes,
    ...namesOf(scanner),
    scannedAt: generatedAt?.getTime() ?? 0,
    headline: report.headline,
    counts: toCounts(summary),
    ...sumUpExploitation(
      exploitation,
      findings.map(({ vulnerability }) => vulnerability),
    ),
    ...{ findings, layerNames },
    ...(indexPlatforms.length > 0 && { indexPlatforms }),
  });
}

function tooManyFindings(): ReasonedError {
  return fieldsInvalid([{ field: "gzip_chunk", description: `must have at most ${maxFindings} findings` }]);
}

/** Gathers what indexes and policies need from the parts of a report, whose lists may come in any order. */
export class ReportReading {
  readonly report = Report.fromPartial({});
  readonly layerNames: string[] = [];
  /** How many findings it does not keep. */
  readonly leftOut: Partial<Record<Severity, number>> = {};
  readonly #packages = new Map<string, [name: string, version: string]>();
  readonly #vulnerabilities = new Map<string, string>();
  readonly #findings: ReadFinding[] = [];

  add({ layers, packages, vulnerabilities, findings, distributions, coverageNotes, leftOut, ...part }: Report): void {
    Object.assign(this.report, withoutBlanks(part));
    // a part may end between two of them
    this.report.coverageNotes.push(...coverageNotes.slice(0, maxNotes - this.report.coverageNotes.length));
    for (const { severity: code, count } of leftOut) {
      const severity = toSeverity(code);
      this.leftOut[severity] = (this.leftOut[severity] ?? 0) + count;
    }
    for (const { clairName } of layers) if (clairName !== "") this.layerNames.push(clairName);
    for (const { id, name, version } of packages) {
      this.#packages.set(boundedKey(id), [boundedName(name), boundedName(version)]);
    }
    for (const { key, name } of vulnerabilities) this.#vulnerabilities.set(boundedKey(key), boundedName(name));
    for (const finding of findings) this.#findings.push(toReadFinding(finding));
    if (this.#findings.length > maxFindings) throw tooManyFindings();
  }

  /** By severity, with those that it does not keep; once all parts were added. */
  countFindings(): Partial<Record<Severity, number>> {
    const counts = { ...this.leftOut };
    for (const { severity: code } of this.#findings) {
      const severity = toSeverity(code);
      counts[severity] = (counts[severity] ?? 0) + 1;
    }
    return counts;
  }

  /** Once all parts were added. */
  findings(): IndexedFinding[] {
    const found: IndexedFinding[] = [];
    for (const { packageId, vulnerabilityKey, severity, fixedVersion } of this.#findings) {
      const vulnerability = this.#vulnerabilities.get(vulnerabilityKey);
      const [name = "", version = ""] = this.#packages.get(packageId) ?? [];
      if (vulnerability === undefined) continue;
      const finding = { vulnerability, severity: toSeverity(severity), package: name, version, fixedVersion };
      found.push(boundedFinding(finding));
    }
    return found;
  }
}

/** What is kept of a finding until all packages and vulnerabilities are known. */
type ReadFinding = Pick<Finding, "packageId" | "vulnerabilityKey" | "severity" | "fixedVersion">;

function toReadFinding({ packageId, vulnerabilityKey, severity, fixedVersion }: Finding): ReadFinding {
  return {
    packageId: boundedKey(packageId),
    vulnerabilityKey: boundedKey(vulnerabilityKey),
    severity,
    fixedVersion: boundedName(fixedVersion),
  };
}

/** The key, or what stands for it in few bytes. */
function boundedKey(key: string): string {
  return key.length <= 255 ? key : createHash("sha256").update(key).digest("base64");
}

/** The fields that the part has. */
function withoutBlanks(part: object): object {
  const isBlank = (value: unknown) => value === undefined || value === "" || value === 0;
  return Object.fromEntries(Object.entries(part).filter(([, value]) => !isBlank(value)));
}

function formatPlatform(platform: Platform | undefined): string {
  if (platform === undefined || platform.os === "") return "";
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

function namesOf(scanner: Scanner | undefined): Pick<IndexedReport, "scanner" | "scannerState"> {
  return { scanner: scanner?.name ?? "", scannerState: scanner?.state ?? "" };
}

function toCounts(summary: Summary | undefined): ReportCounts {
  return {
    total: summary?.total ?? 0,
    unique: summary?.unique ?? 0,
    fixable: summary?.fixable ?? 0,
    bySeverity: toSeverityCounts(summary?.bySeverity ?? []),
    packages: summary?.packageCount ?? 0,
    affectedPackages: summary?.affectedPackageCount ?? 0,
  };
}
