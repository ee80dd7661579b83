import type { PolicyRules } from "./policy.ts";
import type { Severity, SeverityCount } from "./severity.ts";

/** How much of an image the scanner could look at, and the report tells. "No findings" means nothing without it. */
export type Coverage = "FULL" | "PARTIAL" | "UNSUPPORTED" | "NOT_AN_IMAGE";

/** Whether a fix exists. */
export type FindingStatus = "AFFECTED" | "FIXED_AVAILABLE";

/** Which API a report was read from. */
export type SourceKind = "CLAIR_V1";

/** Whether the scanner has vulnerability data for a distribution: without it, it finds nothing in any package. */
export type VulnerabilityData = "PRESENT" | "ABSENT" | "UNKNOWN";

/**
 * Why "no findings" would not mean clean, in stable words.
 * - config_unknown: the configuration's type is not an image's, so the layers may not make up one file system
 * - os_unknown: the scanner knows no operating system in the image
 * - no_packages: the scanner knows the operating system and read no package of it
 * - no_vulnerability_data: the scanner has no vulnerability data for a distribution in the image
 * - vulnerability_data_unknown: whether the scanner has data for a distribution in the image, or for a package that
 *   belongs to none, is not known
 * - version_unknown: the scanner read a package without its version, which cannot be held against data
 * - foreign_layer_skipped: a non-distributable layer was left out
 * - unsupported_layer: a layer that the scanner cannot read was left out
 * - unsupported_manifest: the manifest is of a kind that Drydock does not scan
 * - not_an_image: the manifest is a signature, a chart, an attestation…
 * - findings_left_out: the scan's parameters, or the most that a report may have, left findings out of it
 */
export const coverageNotes = [
  "config_unknown",
  "os_unknown",
  "no_packages",
  "no_vulnerability_data",
  "vulnerability_data_unknown",
  "version_unknown",
  "foreign_layer_skipped",
  "unsupported_layer",
  "unsupported_manifest",
  "not_an_image",
  "findings_left_out",
] as const;

/** One of `coverageNotes`. */
export type CoverageNote = (typeof coverageNotes)[number];

/** What a scan found in one image, in the same form whatever scanner was asked (drydock.report.v1.Report). */
export interface Report {
  readonly schemaVersion: "1";
  /** The id of the job that made it, with ~ and a number behind it for all but the first of a job's reports. */
  readonly reportId: string;
  readonly artifact: Artifact;
  /** Absent when no layer was scanned. */
  readonly scanner: ScannerInfo | undefined;
  readonly scanStartedAt: Date;
  /** When the scanner matched packages and vulnerabilities. */
  readonly generatedAt: Date;
  readonly coverage: Coverage;
  /** The result in a line for people, by `reachVerdict`. */
  readonly headline: string;
  readonly coverageNotes: readonly CoverageNote[];
  /** Base first. */
  readonly layers: readonly Layer[];
  readonly distributions: readonly Distribution[];
  /** By name, version, id. */
  readonly packages: readonly Package[];
  /** By name. */
  readonly vulnerabilities: readonly Vulnerability[];
  /** The worst first, then by the vulnerability's name and the package's. */
  readonly findings: readonly Finding[];
  /** Of all that was found, of what the limits left out as well. */
  readonly summary: Summary;
  /** How much of the findings it may keep; absent without limit. */
  readonly limits?: ReportLimits | undefined;
  /** How many findings the limits left out, the worst first. Default: none. */
  readonly leftOut?: readonly SeverityCount[] | undefined;
  /** What the scan's parameters ask the image to keep to; absent when they ask nothing. */
  readonly policy?: PolicyRules | undefined;
}

/** How much of what was found a report keeps; the worst is kept. */
export interface ReportLimits {
  /** Default: all severities are kept. */
  readonly leastSeverity?: Severity | undefined;
  /** The most findings. Default: as many as a report may have. */
  readonly findings?: number | undefined;
}

/** What was scanned. */
export interface Artifact {
  readonly registryUrl: string;
  /** E.g. library/debian. */
  readonly repository: string;
  /** The manifest's digest. */
  readonly digest: string;
  /** The tags it was asked for by. */
  readonly tags: readonly string[];
  readonly mediaType: string;
  /** From the index or else the image's configuration; undefined if neither names one. */
  readonly platform: Platform | undefined;
  /** The digest of the index that led to the manifest; empty if none did. */
  readonly indexDigest: string;
  /** The sum of its layers as stored. */
  readonly sizeBytes: number;
  readonly configDigest: string;
}

/** What an image runs on. */
export interface Platform {
  /** E.g. linux. */
  readonly os: string;
  /** E.g. amd64. */
  readonly architecture: string;
  /** E.g. v8; empty if there is none. */
  readonly variant: string;
}

/** The scanner of a report. */
export interface ScannerInfo {
  readonly kind: SourceKind;
  readonly name: string;
  readonly vendor: string;
  /** Empty if unknown. */
  readonly version: string;
  /** 0 if unknown. */
  readonly engineVersion: number;
  /** The state of its engine and data in its own words; absent if it does not tell. */
  readonly state?: string;
}

/** A layer of an image. */
export interface Layer {
  /** Its place, 0 is the base. */
  readonly index: number;
  readonly digest: string;
  readonly mediaType: string;
  /** As stored. */
  readonly sizeBytes: number;
  /** The name it has with a Clair 2.x; empty with others. */
  readonly clairName: string;
  /** Whether it was left out of the scan. */
  readonly skipped: boolean;
}

/** An operating system found in an image. */
export interface Distribution {
  /** Its short name, e.g. debian. */
  readonly did: string;
  /** E.g. 12. */
  readonly versionId: string;
  /** The scanner's own word for both, e.g. debian:12. */
  readonly namespace: string;
  /** How versions are compared, e.g. dpkg. */
  readonly versionFormat: string;
  readonly vulnerabilityData: VulnerabilityData;
}

/** A package found in an image. */
export interface Package {
  /** Its id within the report. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** How its version is compared, e.g. dpkg. */
  readonly versionFormat: string;
  /** The scanner's word for the distribution it belongs to. */
  readonly namespace: string;
  /** The digest of the layer that added the package; empty if unknown. */
  readonly layerDigest: string;
  /** Its package URL; empty rather than guessed. */
  readonly purl: string;
}

/** A known weakness of a package, e.g. a CVE. */
export interface Vulnerability {
  /** Its id within the report. */
  readonly key: string;
  /** E.g. CVE-2023-4911. */
  readonly name: string;
  /** The distribution or source that published the vulnerability. */
  readonly namespace: string;
  readonly description: string;
  readonly links: readonly string[];
  readonly severity: Severity;
  /** The source's own word for the severity. */
  readonly sourceSeverity: string;
  readonly cvss: readonly Cvss[];
  /** Further fields of the source; JSON values. */
  readonly extensions: Readonly<Record<string, unknown>>;
}

/** A score of a vulnerability. */
export interface Cvss {
  /** The version of the standard: 2.0, 3.0, 3.1. */
  readonly version: string;
  /** 0 to 10. */
  readonly score: number;
  readonly vector: string;
  /** Who scored it, e.g. nvd. */
  readonly source: string;
}

/** A package that has a vulnerability. */
export interface Finding {
  readonly packageId: string;
  readonly vulnerabilityKey: string;
  readonly severity: Severity;
  /** The first version without the vulnerability; empty if none is known. */
  readonly fixedVersion: string;
  readonly status: FindingStatus;
  /** The digest of the layer that added the package; empty if unknown. */
  readonly layerDigest: string;
}

/** Counts. */
export interface Summary {
  /** Findings: pairs of package and vulnerability. */
  readonly total: number;
  /** Distinct vulnerabilities by name. */
  readonly unique: number;
  /** Findings with a fix. */
  readonly fixable: number;
  /** Findings by severity, the worst first; severities without findings are left out. */
  readonly bySeverity: readonly SeverityCount[];
  readonly packageCount: number;
  /** Packages that have a finding. */
  readonly affectedPackageCount: number;
  /** The worst severity; absent when nothing was found. */
  readonly maxSeverity: Severity | undefined;
}
