import { boundedTexts, boundedVulnerability } from "./bounded.ts";
import type { ImageManifest, OtherManifest } from "./image-manifest.ts";
import { keepFindings } from "./kept-findings.ts";
import type { PolicyRules } from "./policy.ts";
import type { Finding, Layer, Package, Platform, Report, ReportLimits, Vulnerability } from "./report.ts";
import { summarise } from "./report-summary.ts";
import type { ScanResult } from "./scan-result.ts";
import { severityRank } from "./severity.ts";
import { reachVerdict } from "./verdict.ts";

/** What a report is about. */
export interface ReportSubject {
  /** The job that makes it. */
  jobId: string;
  /** Which of the job's reports it is, from 0. Default 0. */
  number?: number;
  registryUrl: string;
  repository: string;
  manifest: ImageManifest | OtherManifest;
  tags: readonly string[];
  platform: Platform | undefined;
  /** The digest of the index that led to the manifest; empty if none did. */
  indexDigest: string;
  scanStartedAt: Date;
  /** When the scanner matched packages and vulnerabilities. */
  generatedAt: Date;
  policy?: PolicyRules | undefined;
  /** How much of the findings the report keeps. Default: all. */
  limits?: ReportLimits | undefined;
}

/**
 * The report of a scan, in an order that depends on its content alone.
 * @param result what the scanner found; undefined when no scanner was asked, because the manifest is no image
 */
export function buildReport(subject: ReportSubject, result: ScanResult | undefined): Report {
  const found = (result?.vulnerabilities ?? []).map(boundedVulnerability);
  const vulnerabilities = sortedByKey(found, ({ key }) => key, byNameThenKey);
  const packages = sortedByKey((result?.packages ?? []).map(boundedTexts), ({ id }) => id, byNameVersionId);
  const findings = sortFindings((result?.findings ?? []).map(boundedTexts), packages, vulnerabilities);
  const summary = summarise(findings, packages, vulnerabilities);
  const { kept, leftOut } = keepFindings(findings, subject.limits);
  const told = new Set(kept.map(({ vulnerabilityKey }) => vulnerabilityKey));
  return {
    schemaVersion: "1",
    reportId: reportIdOf(subject),
    artifact: artifactOf(subject),
    scanner: result?.scanner,
    scanStartedAt: subject.scanStartedAt,
    generatedAt: subject.generatedAt,
    ...reachVerdict({ manifest: subject.manifest, result, summary, leftOut }),
    layers: layersOf(subject.manifest, result),
    distributions: (result?.distributions ?? []).map(boundedTexts).sort((a, b) => compare(a.namespace, b.namespace)),
    packages,
    vulnerabilities: leftOut.length === 0 ? vulnerabilities : vulnerabilities.filter(({ key }) => told.has(key)),
    findings: kept,
    summary,
    ...(subject.limits && { limits: subject.limits }),
    ...(leftOut.length > 0 && { leftOut }),
    ...(subject.policy && { policy: subject.policy }),
  };
}

function reportIdOf({ jobId, number = 0 }: ReportSubject): string {
  return number === 0 ? jobId : `${jobId}~${number}`;
}

function artifactOf(subject: ReportSubject): Report["artifact"] {
  const { registryUrl, repository, manifest, tags, platform, indexDigest } = subject;
  const layers = manifest.kind === "image" ? manifest.layers : [];
  return {
    registryUrl,
    repository,
    digest: manifest.digest,
    tags: [...tags],
    mediaType: manifest.mediaType,
    platform,
    indexDigest,
    sizeBytes: layers.reduce((sum, layer) => sum + layer.sizeBytes, 0),
    configDigest: manifest.kind === "image" ? manifest.configDigest : "",
  };
}

function layersOf(manifest: ImageManifest | OtherManifest, result: ScanResult | undefined): Layer[] {
  if (manifest.kind !== "image") return [];
  const skipped = new Set(result?.skippedLayers ?? []);
  return manifest.layers.map(({ digest, mediaType, sizeBytes }, index) => {
    const clairName = result?.layerNames[index] ?? "";
    return { index, digest, mediaType, sizeBytes, clairName, skipped: skipped.has(index) };
  });
}

function sortFindings(
  findings: readonly Finding[],
  packages: readonly Package[],
  vulnerabilities: readonly Vulnerability[],
): Finding[] {
  const packageNames = new Map(packages.map(({ id, name }) => [id, name]));
  const vulnerabilityNames = new Map(vulnerabilities.map(({ key, name }) => [key, name]));
  const nameOf = (names: Map<string, string>, id: string) => names.get(id) ?? id;
  return sortedByKey(
    findings,
    ({ packageId, vulnerabilityKey }) => `${packageId}\n${vulnerabilityKey}`,
    (a, b) =>
      severityRank(b.severity) - severityRank(a.severity) ||
      compare(nameOf(vulnerabilityNames, a.vulnerabilityKey), nameOf(vulnerabilityNames, b.vulnerabilityKey)) ||
      compare(nameOf(packageNames, a.packageId), nameOf(packageNames, b.packageId)) ||
      compare(a.packageId, b.packageId) ||
      compare(a.vulnerabilityKey, b.vulnerabilityKey),
  );
}

/** Sorted; of items with the same key only the first. */
function sortedByKey<T>(items: readonly T[], keyOf: (item: T) => string, order: (a: T, b: T) => number): T[] {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const key = keyOf(item);
    if (!byKey.has(key)) byKey.set(key, item);
  }
  return [...byKey.values()].sort(order);
}

function byNameThenKey(a: Vulnerability, b: Vulnerability): number {
  return compare(a.name, b.name) || compare(a.key, b.key);
}

function byNameVersionId(a: Package, b: Package): number {
  return compare(a.name, b.name) || compare(a.version, b.version) || compare(a.id, b.id);
}

/** By code units, so that no locale changes the order. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
