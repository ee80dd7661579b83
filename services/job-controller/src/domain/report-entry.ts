/** How bad a vulnerability is, from the least to the worst. */
export const severities = ["UNKNOWN", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL"] as const;

/** One of `severities`. */
export type Severity = (typeof severities)[number];

/** How much of an image the scanner could look at. "No findings" means clean with FULL alone. */
export type Coverage = "FULL" | "PARTIAL" | "UNSUPPORTED" | "NOT_AN_IMAGE";

/** The counts of a report. */
export interface ReportCounts {
  /** Findings: pairs of package and vulnerability. */
  readonly total: number;
  /** Distinct vulnerabilities by name. */
  readonly unique: number;
  /** Findings with a fix. */
  readonly fixable: number;
  /** Findings by severity; severities without findings are left out. */
  readonly bySeverity: Readonly<Partial<Record<Severity, number>>>;
  readonly packages: number;
  /** Packages that have a finding. */
  readonly affectedPackages: number;
}

/** What is known of a report without its findings. */
export interface ReportEntry {
  /** The job's id, with ~ and a number behind it for all but the first of a job's reports. */
  readonly reportId: string;
  readonly jobId: string;
  /** The digest of the manifest that was scanned. */
  readonly digest: string;
  /** The digest of the index that led to it; empty if none did. */
  readonly indexDigest: string;
  /** E.g. linux/arm64; empty if unknown. */
  readonly platform: string;
  /** The repository and the tags that the scan named. The store knows of further ones by `recordImages`. */
  readonly repository: string;
  readonly tags: readonly string[];
  readonly coverage: Coverage;
  readonly coverageNotes: readonly string[];
  /** The scanner's name; empty when no layer was scanned. */
  readonly scanner: string;
  /** The state of the scanner's engine and data; empty if it does not tell. */
  readonly scannerState: string;
  /** In milliseconds since 1970. */
  readonly scannedAt: number;
  readonly headline: string;
  readonly counts: ReportCounts;
  /** How many of its vulnerabilities were known to be exploited when that was last looked up: when it was stored, or the data changed. */
  readonly knownExploited: number;
  /** The highest probability of exploitation, from 0 to 1, likewise; 0 if unknown. */
  readonly maxEpss: number;
}

/** A finding as the indexes know it. */
export interface IndexedFinding {
  /** E.g. CVE-2023-4911. */
  readonly vulnerability: string;
  readonly severity: Severity;
  readonly package: string;
  readonly version: string;
  /** Empty if none is known. */
  readonly fixedVersion: string;
}

/** What the indexes are made from. */
export interface IndexedReport extends ReportEntry {
  readonly findings: readonly IndexedFinding[];
  /** The scanner's names of the layers, for `findByLayers`. */
  readonly layerNames: readonly string[];
  /** Of the index, the platforms that the scan has looked for, `all` alone for all; default it does not tell. */
  readonly indexPlatforms?: readonly string[];
}

/** Where an image is. */
export interface ImageLocation {
  readonly repository: string;
  /** The tags that point at it there, directly or through an index, by name; none when they have moved, or it was scanned by digest. */
  readonly tags: readonly string[];
}

/** The newest report of an image, and where the image is. */
export interface ListedReport extends ReportEntry {
  /** By repository, at most 100, each with at most 100 tags. */
  readonly locations: readonly ImageLocation[];
  /** In how many repositories the image is. */
  readonly locationCount: number;
}

/** A report by its name. */
export type ReportReference = Pick<ReportEntry, "reportId" | "digest" | "platform">;

/** The id of a job's report: the job's own for the first. */
export function reportIdOf(jobId: string, number: number): string {
  return number === 0 ? jobId : `${jobId}~${number}`;
}

/** The job that made the report. */
export function jobOfReport(reportId: string): string {
  return reportId.split("~", 1)[0] ?? reportId;
}
