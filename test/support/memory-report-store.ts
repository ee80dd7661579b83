import type {
  ImageLocation,
  IndexedReport,
  ListedReport,
  ReportReference,
  Severity,
} from "@drydock/job-controller/domain/report-entry.ts";
import { severities } from "@drydock/job-controller/domain/report-entry.ts";
import { fitsGlob } from "@drydock/job-controller/domain/repository-glob.ts";
import type {
  Page,
  PageRequest,
  ReportFilter,
  ReportOrder,
  ReportQueries,
  ReportTotals,
} from "@drydock/job-controller/ports/report-queries.ts";
import type { FoundImage, KnownReport, NewReport, ReportStore } from "@drydock/job-controller/ports/report-store.ts";
import { fieldsInvalid } from "@drydock/shared/errors.ts";

/** The reports in memory: small, slow and plain, so that what stands above a store can be tested without one. */
export class MemoryReportStore implements ReportStore, ReportQueries {
  readonly #stored: NewReport[] = [];
  /** By repository and tag, the digest. */
  readonly #tags = new Map<string, Map<string, string>>();
  readonly #repositories = new Map<string, Set<string>>();
  #day = "";
  #days: { day: string; totals: ReportTotals }[] = [];

  /** The day that noteDay notes. */
  set day(day: string) {
    this.#day = day;
  }

  async checkLease(): Promise<void> {}

  async put(_lease: unknown, report: NewReport): Promise<void> {
    const { reportId, digest, indexDigest, repository, tags } = report.entry;
    const known = this.#stored.findIndex(({ entry }) => entry.reportId === reportId);
    this.#stored.splice(known < 0 ? this.#stored.length : known, known < 0 ? 0 : 1, report);
    await this.recordImages([{ repository, digest: indexDigest || digest, tags }]);
    this.#repositoriesOf(digest).add(repository);
  }

  async read(reportId: string): Promise<AsyncIterable<Buffer> | undefined> {
    const found = this.#stored.find(({ entry }) => entry.reportId === reportId);
    return (
      found &&
      (async function* () {
        yield found.gzip;
      })()
    );
  }

  async ofJob(jobId: string): Promise<ReportReference[]> {
    return this.#stored.map(({ entry }) => entry).filter((entry) => entry.jobId === jobId);
  }

  async newestOf(digest: string): Promise<KnownReport[]> {
    return this.#newest().filter((entry) => entry.digest === digest || entry.indexDigest === digest);
  }

  async newestOfTag(repository: string, tag: string): Promise<KnownReport[]> {
    const digest = this.#tags.get(repository)?.get(tag);
    return digest === undefined ? [] : this.newestOf(digest);
  }

  async recordImages(images: readonly FoundImage[]): Promise<KnownReport[][]> {
    for (const { repository, digest, tags } of images) {
      const known = this.#tags.get(repository) ?? new Map<string, string>();
      for (const tag of tags) known.set(tag, digest);
      this.#tags.set(repository, known);
      this.#repositoriesOf(digest).add(repository);
    }
    return Promise.all(images.map(({ digest }) => this.newestOf(digest)));
  }

  async tidy(): Promise<boolean> {
    return false;
  }

  async list(filter: ReportFilter, order: ReportOrder, page: PageRequest): Promise<Page<ListedReport>> {
    const fitting = this.#listed().filter((report) => fits(report, filter));
    return pageOf(fitting.toSorted(orders[order]), page);
  }

  async findVulnerability(name: string, repository: string, page: PageRequest) {
    const having = this.#listed().filter(({ findings }) =>
      findings.some(({ vulnerability }) => vulnerability === name),
    );
    const matches = having.flatMap(({ findings, locations, digest, reportId, platform, coverage, scannedAt }) =>
      locations
        .filter((location) => fitsGlob(repository, location.repository))
        .flatMap((location) =>
          findings
            .filter(({ vulnerability }) => vulnerability === name)
            .map(({ vulnerability, ...finding }) => ({
              ...{ ...finding, ...location, digest, reportId, platform, coverage, scannedAt },
            })),
        ),
    );
    const all = this.#newest();
    const notFullyCovered = all.filter(({ coverage }) => coverage !== "FULL").length;
    return { ...pageOf(matches, page), counts: { images: having.length, scanned: all.length, notFullyCovered } };
  }

  async summarize(repository: string) {
    const reports = this.#listed();
    const names = [...new Set(reports.flatMap(({ locations }) => locations.map((location) => location.repository)))]
      .filter((name) => fitsGlob(repository, name))
      .sort();
    const isIn = (name: string) => (report: ListedReport) => report.locations.some((one) => one.repository === name);
    const fitting = reports.filter(({ locations }) => locations.some((one) => fitsGlob(repository, one.repository)));
    return {
      totals: totalsOf(fitting),
      repositories: names.map((name) => ({ repository: name, totals: totalsOf(reports.filter(isIn(name))) })),
      repositoryCount: names.length,
      worst: fitting.toSorted(orders.WORST).slice(0, 10),
    };
  }

  async history(days: number) {
    return this.#days.slice(-days);
  }

  async noteDay(): Promise<void> {
    const day = this.#day;
    this.#days = [...this.#days.filter((noted) => noted.day !== day), { day, totals: totalsOf(this.#newest()) }];
  }

  async findByLayers(layerNames: readonly string[], page: PageRequest): Promise<Page<FoundImage>> {
    const found = this.#listed().filter((report) => report.layerNames.some((name) => layerNames.includes(name)));
    return pageOf(
      found.flatMap(({ digest, locations }) => locations.map((location) => ({ ...location, digest }))),
      page,
    );
  }

  async standing(repository: string, at: number): Promise<ReportReference[]> {
    return this.#newest(at).filter(({ digest }) =>
      this.#locations(digest).some((one) => one.repository === repository),
    );
  }

  /** Of each image the newest report scanned before. */
  #newest(before = Number.POSITIVE_INFINITY): IndexedReport[] {
    const byDigest = new Map<string, IndexedReport>();
    for (const { entry } of this.#stored) {
      const known = byDigest.get(entry.digest);
      const isNewer = known === undefined || entry.scannedAt >= known.scannedAt;
      if (entry.scannedAt < before && isNewer) byDigest.set(entry.digest, entry);
    }
    return [...byDigest.values()];
  }

  #listed(): (ListedReport & IndexedReport)[] {
    return this.#newest().map((entry) => ({ ...entry, locations: this.#locations(entry.digest) }));
  }

  #locations(digest: string): ImageLocation[] {
    return [...this.#repositoriesOf(digest)].sort().map((repository) => {
      const tags = [...(this.#tags.get(repository) ?? [])].filter(([, of]) => this.#leadsTo(of, digest));
      return { repository, tags: tags.map(([tag]) => tag) };
    });
  }

  #leadsTo(from: string, digest: string): boolean {
    return from === digest || this.#stored.some(({ entry }) => entry.digest === digest && entry.indexDigest === from);
  }

  #repositoriesOf(digest: string): Set<string> {
    const known = this.#repositories.get(digest) ?? new Set<string>();
    this.#repositories.set(digest, known);
    return known;
  }
}

function fits(report: ListedReport & IndexedReport, filter: ReportFilter): boolean {
  const { repository, leastSeverity, fixable, coverage, scanner, vulnerability, scannedAfter, scannedBefore } = filter;
  const rank = (severity: Severity | undefined) => (severity === undefined ? -1 : severities.indexOf(severity));
  return [
    report.locations.some((location) => fitsGlob(repository, location.repository)),
    leastSeverity === undefined || rank(worstOf(report)) >= rank(leastSeverity),
    fixable === undefined || report.counts.fixable > 0 === fixable,
    coverage === undefined || report.coverage === coverage,
    scanner === undefined || report.scanner === scanner,
    vulnerability === undefined || report.findings.some((finding) => finding.vulnerability === vulnerability),
    scannedAfter === undefined || report.scannedAt >= scannedAfter,
    scannedBefore === undefined || report.scannedAt < scannedBefore,
  ].every(Boolean);
}

const byText = (a: string, b: string) => (a < b ? -1 : Number(a > b));
const byDigest = (a: ListedReport, b: ListedReport) => byText(a.digest, b.digest);

const orders: Record<ReportOrder, (a: ListedReport, b: ListedReport) => number> = {
  WORST: (a, b) => {
    const worst = ["CRITICAL", "HIGH", "MEDIUM", "LOW"] as const;
    const differences = worst.map(
      (severity) => (b.counts.bySeverity[severity] ?? 0) - (a.counts.bySeverity[severity] ?? 0),
    );
    return [b.knownExploited - a.knownExploited, ...differences].find((one) => one !== 0) ?? byDigest(a, b);
  },
  NEWEST: (a, b) => b.scannedAt - a.scannedAt || byDigest(a, b),
  OLDEST: (a, b) => a.scannedAt - b.scannedAt || byDigest(a, b),
  REPOSITORY: (a, b) => byText(a.locations[0]?.repository ?? "", b.locations[0]?.repository ?? "") || byDigest(a, b),
};

function worstOf({ counts }: ListedReport | IndexedReport): Severity | undefined {
  return severities.toReversed().find((severity) => (counts.bySeverity[severity] ?? 0) > 0);
}

function totalsOf(reports: readonly IndexedReport[] | readonly ListedReport[]): ReportTotals {
  const totals: ReportTotals = {
    ...{ images: reports.length, findings: 0, fixable: 0, imagesWithKnownExploited: 0 },
    ...{ bySeverity: {}, imagesBySeverity: {}, byCoverage: {} },
  };
  const add = <Key extends string>(counts: Partial<Record<Key, number>>, key: Key, count = 1) => {
    counts[key] = (counts[key] ?? 0) + count;
  };
  for (const report of reports) {
    totals.findings += report.counts.total;
    totals.fixable += report.counts.fixable;
    totals.imagesWithKnownExploited += Number(report.knownExploited > 0);
    for (const severity of severities) {
      const count = report.counts.bySeverity[severity] ?? 0;
      if (count > 0) add(totals.bySeverity, severity, count);
    }
    add(totals.imagesBySeverity, worstOf(report) ?? "NONE");
    add(totals.byCoverage, report.coverage);
  }
  return totals;
}

function pageOf<T>(all: readonly T[], { size, token }: PageRequest): Page<T> {
  if (!/^\d*$/.test(token)) {
    throw fieldsInvalid([
      { field: "page_token", description: "must be the next_page_token of an answer to the same request" },
    ]);
  }
  const from = Number(token);
  return { items: all.slice(from, from + size), nextToken: from + size < all.length ? String(from + size) : "" };
}
