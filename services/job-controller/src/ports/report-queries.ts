import type { Coverage, IndexedFinding, ListedReport, ReportReference, Severity } from "../domain/report-entry.ts";
import type { FoundImage } from "./report-store.ts";

/** Which reports; what is set must all hold. */
export interface ReportFilter {
  /** A repository, or a glob of several (shared/src/repository-glob.ts), that one of the image's locations fits; empty is all. */
  repository: string;
  /** The least severity of the worst finding. */
  leastSeverity?: Severity;
  /** Whether a finding has a fix. */
  fixable?: boolean;
  coverage?: Coverage;
  scanner?: string;
  /** A vulnerability that it has. */
  vulnerability?: string;
  /** Whether a vulnerability is known to be exploited. */
  knownExploited?: boolean;
  /** Scanned at or after, in milliseconds since 1970. */
  scannedAfter?: number;
  /** Scanned before, in milliseconds since 1970. */
  scannedBefore?: number;
}

/**
 * By what reports are ordered. WORST: by the counts of known exploited vulnerabilities, then of critical, high, medium and low
 * findings, the most first. NEWEST, OLDEST: by the time of scanning. EPSS: by the highest probability of exploitation, to five
 * digits, the most likely first. REPOSITORY: by the first of the image's repositories. Where that is equal, by digest; texts are
 * ordered by their bytes.
 */
export type ReportOrder = "WORST" | "NEWEST" | "OLDEST" | "EPSS" | "REPOSITORY";

/** Which page of a list. */
export interface PageRequest {
  size: number;
  /** Where the page before ended; empty for the first. Opaque; a token that the store did not give is refused as FIELD_INVALID. */
  token: string;
}

/** A page of a list. It may be short, even empty, before the last. */
export interface Page<T> {
  items: T[];
  /** Empty when there is no further one. */
  nextToken: string;
}

/** An image that has a vulnerability, in one repository and by one package. */
export interface VulnerabilityMatch extends Omit<IndexedFinding, "vulnerability"> {
  repository: string;
  tags: readonly string[];
  digest: string;
  reportId: string;
  platform: string;
  coverage: Coverage;
  scannedAt: number;
  /** In how many repositories the image is, listed or not. */
  locationCount: number;
}

/** How many images have a vulnerability, and how many could. */
export interface VulnerabilityCounts {
  /** Images that have it. */
  images: number;
  /** Images with a report. */
  scanned: number;
  /** Images whose report is not FULL. */
  notFullyCovered: number;
  /** Images that have it and are in more repositories than the store lists: they are in no match of the others. */
  partlyListed: number;
}

/** What several reports come to together. An image of several repositories counts once. Counts that are 0 are left out of records. */
export interface ReportTotals {
  images: number;
  findings: number;
  fixable: number;
  bySeverity: Partial<Record<Severity, number>>;
  /** Images by their worst finding; NONE are those without one. */
  imagesBySeverity: Partial<Record<Severity | "NONE", number>>;
  byCoverage: Partial<Record<Coverage, number>>;
  imagesWithKnownExploited: number;
}

/** What the newest reports of some repositories come to. */
export interface ReportSummary {
  totals: ReportTotals;
  /**
   * By repository that fits, at most 100, the worst first: by the sums of their images' counts, as in WORST, with
   * imagesWithKnownExploited for the first; then by name.
   */
  repositories: { repository: string; totals: ReportTotals }[];
  repositoryCount: number;
  /** The ten worst. */
  worst: ListedReport[];
}

/** What all reports came to on a day. */
export interface DayTotals {
  /** In UTC, e.g. 2026-11-30. */
  day: string;
  totals: ReportTotals;
}

/** Questions about the newest reports of all images. */
export interface ReportQueries {
  list(filter: ReportFilter, order: ReportOrder, page: PageRequest): Promise<Page<ListedReport>>;
  /** By digest, package, version and repository. Counts are over all repositories. */
  findVulnerability(
    name: string,
    repository: string,
    page: PageRequest,
  ): Promise<Page<VulnerabilityMatch> & { counts: VulnerabilityCounts }>;
  summarize(repository: string): Promise<ReportSummary>;
  /**
   * The last days, the oldest first, as they were noted, those without a note left out; behind them today as it stands now.
   * @param now what all reports come to now, if it is known: it is counted otherwise
   */
  history(days: number, now?: ReportTotals): Promise<DayTotals[]>;
  /** Notes what all reports come to today; replaces what was noted for the day. */
  noteDay(): Promise<void>;
  /** The images whose newest report has one of the layers, by digest: each once, with the first of its repositories. */
  findByLayers(layerNames: readonly string[], page: PageRequest): Promise<Page<FoundImage>>;
  /**
   * The newest reports of the repository's images as they stood at the time, at most 10,000, by digest: of each image that the
   * repository has, or had a tag for, the newest report scanned before. Reports that are kept no longer are left out.
   */
  standing(repository: string, at: number): Promise<ReportReference[]>;
}
